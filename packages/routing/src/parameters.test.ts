import type { ParameterFacts } from "@tuloy/contract";
import { describe, expect, it } from "vitest";

import { refusedParameter } from "./parameters.ts";

const open: ParameterFacts = { takes: null, refuses: new Set(), modelRefuses: new Set(), maxStops: null };
const uses = (...parameters: string[]) => ({ parameters, stops: 0 });

describe("a deployment that does not take a parameter", () => {
  it("is left out for what shapes the answer, always", () => {
    for (const known of [
      { ...open, refuses: new Set(["tools"]) },
      { ...open, modelRefuses: new Set(["tools"]) },
      { ...open, takes: new Set(["temperature"]) },
    ]) {
      expect(refusedParameter(known, uses("temperature", "tools"), false)).toBe(
        "the request sets tools, which this deployment does not take",
      );
    }
  });

  it("is left out for anything else only where the request requires every parameter", () => {
    const known = { ...open, refuses: new Set(["top_k"]) };
    expect(refusedParameter(known, uses("top_k"), false)).toBeNull();
    expect(refusedParameter(known, uses("top_k"), true)).toContain("top_k");
  });

  it("is not left out where it takes the other spelling", () => {
    expect(refusedParameter({ ...open, refuses: new Set(["max_tokens"]) }, uses("max_tokens"), true)).toBeNull();
    expect(refusedParameter({ ...open, takes: new Set(["reasoning_effort"]) }, uses("reasoning"), true)).toBeNull();
    const neither = { ...open, takes: new Set<string>() };
    expect(refusedParameter(neither, uses("max_tokens"), false)).toContain("max_tokens");
  });

  it("is left out for more stop sequences than it takes", () => {
    const known = { ...open, maxStops: 4 };
    expect(refusedParameter(known, { parameters: ["stop"], stops: 4 }, true)).toBeNull();
    expect(refusedParameter(known, { parameters: ["stop"], stops: 5 }, false)).toBe(
      "the request has 5 stop sequences, this deployment takes 4",
    );
  });

  it("is never left out when nothing is known of it", () => {
    expect(refusedParameter(null, { parameters: ["anything", "stop"], stops: 99 }, true)).toBeNull();
    expect(refusedParameter(open, { parameters: ["anything", "stop"], stops: 99 }, true)).toBeNull();
  });
});
