import type { AttemptKind, FailureClass } from "@tuloy/contract";
import { describe, expect, it } from "vitest";

import { tellingTrace } from "./telling-trace.ts";

interface Told {
  readonly id: string;
  readonly stream: boolean;
  readonly attempts: readonly { readonly kind: AttemptKind; readonly failure: FailureClass | null }[];
}

const attempt = (kind: AttemptKind, failure: FailureClass | null = null): Told["attempts"][number] => ({
  kind,
  failure,
});
const trace = (id: string, stream: boolean, ...attempts: Told["attempts"]): Told => ({ id, stream, attempts });

const embeddings = trace("embeddings", false, attempt("first", "overloaded"), attempt("twin"));
const moved = trace("moved", true, attempt("first", "overloaded"), attempt("twin"));
const completed = trace("completed", true, attempt("first", "truncated"), attempt("continuation"));
const twice = trace("twice", true, attempt("first", "truncated"), attempt("continuation"));
const inVain = trace("in vain", true, attempt("first", "truncated"), attempt("continuation", "truncated"));

describe("the trace that the demo shows", () => {
  it.each<{ readonly id: string | null; readonly traces: readonly Told[] }>([
    { id: "completed", traces: [embeddings, inVain, moved, completed, twice] },
    { id: "moved", traces: [embeddings, moved] },
    { id: "embeddings", traces: [embeddings] },
    { id: null, traces: [] },
  ])("is $id", ({ id, traces }) => {
    expect(tellingTrace(traces)?.id ?? null).toBe(id);
  });
});
