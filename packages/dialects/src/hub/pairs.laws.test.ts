import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { ClientDialect } from "../client-dialect.ts";
import type { SentAnswer } from "../completion/sent.ts";
import { anthropicMessages } from "../anthropic-messages/dialect.ts";
import { openaiChat } from "../openai-chat/dialect.ts";
import { openaiResponses } from "../openai-responses/dialect.ts";
import { continuationOf } from "../providers/continuation.ts";
import type { StreamWatch, WatchOptions } from "../stream-watch.ts";
import type { WriteContext } from "./codec.ts";
import { clientCodec, upstreamCodec } from "./codecs.ts";
import { writeContext } from "./hub.test-data.ts";
import { viewOf, clients, type Client, type View } from "./views.test-data.ts";
import { canSay, signatureOf, upstreams, wireOf, type Part, type Upstream } from "./wires.test-data.ts";
import { TranslatedWatch } from "./watch.ts";

const dialects: Readonly<Record<Client, ClientDialect>> = {
  "openai-chat": openaiChat,
  "openai-responses": openaiResponses,
  "anthropic-messages": anthropicMessages,
};

function translated(client: Client, upstream: Upstream, options: WatchOptions, context: WriteContext): StreamWatch {
  const codecs = { upstream: upstreamCodec(upstream), client: clientCodec(client) };
  if (codecs.upstream === null || codecs.client === null) throw new Error("there is no such codec");
  const { heartbeat } = dialects[client];
  return new TranslatedWatch(options, { upstream: codecs.upstream, client: codecs.client, context, heartbeat });
}

/** The lane that the relay takes. */
function watchFor(client: Client, upstream: Upstream, resume?: WatchOptions["resume"]): StreamWatch {
  const contentType = upstream === "bedrock-converse" ? "application/vnd.amazon.eventstream" : "text/event-stream";
  const options = { wantsUsage: true, choices: 1, preset: { markers: [] }, contentType, keep: true, resume };
  const express = client === upstream && (resume === undefined || client === "openai-chat");
  return express ? dialects[client].watch(options) : translated(client, upstream, options, writeContext());
}

/** What became of a stream, and what the client was sent of it. */
interface Poured {
  readonly wire: string;
  readonly sent: SentAnswer;
  readonly outcome: "whole" | "broken" | "unseen";
  readonly watch: StreamWatch;
}

/** Pours a stream as the relay does: what comes before the first content is held back, and dropped where there is a failure. */
function pour(watch: StreamWatch, bytes: Buffer, sizes: readonly number[], before = 0): Poured {
  const out: Buffer[] = [];
  let committed = false;
  const { sent } = watch;
  if (sent === null) throw new Error("nothing is kept");
  for (let at = 0, turn = 0; at < bytes.length && watch.failure === null && !watch.done; turn++) {
    const size = Math.max(1, sizes[turn % sizes.length] ?? bytes.length);
    watch.push(bytes.subarray(at, at + size));
    out.push(...watch.forward);
    at += size;
    committed ||= (watch.committed && watch.failure === null) || (before > 0 && sent.length > before);
  }
  const end = watch.end();
  if (end.ok) out.push(end.trailer);
  const outcome = end.ok ? "whole" : committed ? "broken" : "unseen";
  return { wire: outcome === "unseen" ? "" : Buffer.concat(out).toString(), sent, outcome, watch };
}

const requests: Readonly<Record<Client, Buffer>> = {
  "openai-chat": Buffer.from('{"model":"m","messages":[{"role":"user","content":"Say it."}]}'),
  "openai-responses": Buffer.from('{"model":"m","input":"Say it."}'),
  "anthropic-messages": Buffer.from('{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Say it."}]}'),
};

const error = {
  code: "stream_broken",
  status: 502,
  type: "server_error",
  message: "broke",
  param: null,
  attempts: [],
  retryAfterMs: null,
} as const;

const word = fc.string({ unit: "grapheme", minLength: 1, maxLength: 9 });
const json = fc
  .dictionary(fc.constantFrom("a", "b", "cd"), fc.oneof(word, fc.integer(), fc.constant(["}", '"', "{"])))
  .map((input) => JSON.stringify(input));
const call: fc.Arbitrary<Part> = fc.record({
  kind: fc.constant("call" as const),
  name: fc.constantFrom("f", "get_weather"),
  json,
});
const part: fc.Arbitrary<Part> = fc.oneof(
  fc.record({ kind: fc.constant("thought" as const), text: word, signed: fc.boolean() }),
  fc.constant<Part>({ kind: "hidden" }),
  fc.record({ kind: fc.constant("text" as const), text: word }),
  fc.record({ kind: fc.constant("refusal" as const), text: word }),
  call,
);
/** No two parts are neighbours that are one to some dialect. */
function isApart(parts: readonly Part[]): boolean {
  const spoken = parts.map(({ kind }) => kind);
  return spoken.every((kind, at) => kind === "call" || kind === "hidden" || kind !== spoken[at - 1]);
}
const answers = fc
  .tuple(fc.array(part, { maxLength: 5 }), fc.array(call, { maxLength: 3 }), fc.array(word, { maxLength: 1 }))
  .map(([parts, calls, after]): Part[] => parts.concat(calls, calls.length === 0 ? [] : after.map(textPart)));

function textPart(text: string): Part {
  return { kind: "text", text };
}

/** An answer that all these dialects can give. */
function sayable(parts: readonly Part[], ...by: readonly Upstream[]): readonly Part[] {
  const said = parts.filter((one) => by.every((dialect) => canSay(dialect, one)));
  return isApart(said) && said.some(({ kind }) => kind !== "hidden") ? said : [{ kind: "text", text: "Good day." }];
}

const shape = fc.record({ size: fc.integer({ min: 1, max: 8 }), mixed: fc.boolean() });
const sizes = fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 4 });
const client = fc.constantFrom(...clients);
const upstream = fc.constantFrom(...upstreams);

type Content = Omit<View, "end" | "terminators" | "errors" | "problems">;

/** What a client is to have of an answer. */
function expected(at: Client, parts: readonly Part[]): Content {
  const textOf = (...kinds: readonly Part["kind"][]): string =>
    parts.map((one) => (kinds.includes(one.kind) && "text" in one ? one.text : "")).join("");
  const alone = at === "anthropic-messages";
  return {
    thought: textOf("thought"),
    signed: parts.flatMap((one) =>
      one.kind === "thought" && one.signed ? [[one.text, signatureOf(one.text)] as const] : [],
    ),
    hidden: parts.filter(({ kind }) => kind === "hidden").length,
    text: alone ? textOf("text", "refusal") : textOf("text"),
    refusal: alone ? "" : textOf("refusal"),
    calls: parts.flatMap((one) => (one.kind === "call" ? [[one.name, one.json] as const] : [])),
  };
}

function contentOf({ thought, signed, hidden, text, refusal, calls }: View): Content {
  return { thought, signed, hidden, text, refusal, calls };
}

interface Completed {
  readonly out: string;
  readonly isWhole: boolean;
  /** The thought of an answer that was begun in vain. */
  readonly inVain: string;
}

/** Has others complete a stream that broke, one after the other, and reports it if none can. */
function complete(
  to: Client,
  begun: Poured,
  by: readonly { readonly from: Upstream; readonly bytes: Buffer }[],
  cuts: readonly number[],
): Completed {
  let poured = begun;
  let out = begun.wire;
  let inVain = "";
  for (const { from, bytes } of by) {
    const { anew, replay } = dialects[to].completable(requests[to], poured.sent);
    if (!anew && !replay) break;
    if (anew) inVain = viewOf(to, out).thought;
    const resume = { mode: anew ? "anew" : "replay", sent: poured.sent, continuation: null } as const;
    poured = pour(watchFor(to, from, resume), bytes, cuts, poured.sent.length);
    out += poured.wire;
    // An answer begins anew once.
    if (poured.outcome === "whole" || (anew && poured.outcome === "unseen")) break;
  }
  const isWhole = poured.outcome === "whole";
  return { out: isWhole ? out : out + reported(to, poured.sent), isWhole, inVain };
}

function reported(to: Client, { head }: SentAnswer): string {
  return dialects[to].writeErrorEvent(error, "trace", head).toString();
}

function signedFalsely({ signed }: View): readonly string[] {
  return signed
    .filter(([thought, signature]) => signature !== signatureOf(thought))
    .map(([thought]) => `signed falsely: ${thought}`);
}

/** What is wrong with an answer that was completed. What was thought in vain stands before one that began anew. */
function wholeProblems(view: View, whole: Content, inVain: string): readonly string[] {
  const problems = [...view.problems, ...signedFalsely(view)];
  if (view.terminators !== 1 || view.errors > 0) problems.push(`${view.terminators} ends, ${view.errors} errors`);
  const got = contentOf(view);
  // Of what was thought in vain some may be signed, or hidden.
  const wanted = {
    ...whole,
    thought: inVain + whole.thought,
    ...(inVain === "" ? {} : { signed: got.signed, hidden: got.hidden }),
  };
  if (JSON.stringify(got) !== JSON.stringify(wanted))
    problems.push(`${JSON.stringify(got)} is not ${JSON.stringify(wanted)}`);
  return problems;
}

/** What is wrong with a half answer that was reported: nothing may be altered, doubled or signed falsely. */
function halfProblems(view: View, whole: Content, inVain: string): readonly string[] {
  const problems = [...view.problems, ...signedFalsely(view)];
  if (view.terminators > 0) problems.push("a half answer was ended as if it were whole");
  if (view.errors !== 1) problems.push(`${view.errors} errors`);
  for (const kind of ["thought", "text", "refusal"] as const) {
    const had = kind === "thought" ? view[kind].slice(inVain.length) : view[kind];
    if (!whole[kind].startsWith(had)) problems.push(`${kind} was altered: ${view[kind]}`);
  }
  for (const [index, [name, said]] of view.calls.entries()) {
    const [knownName, known = ""] = whole.calls[index] ?? [];
    // A client that parses what it has of the arguments shows an object of what is there.
    if (name !== knownName || !(known.startsWith(said) || isPartOf(said)))
      problems.push(`call ${index} was altered: ${said}`);
  }
  return problems;
}

const isPartOf = (said: string): boolean => said === "{}" || said.startsWith('"');

describe("every client's dialect and every provider's", () => {
  it("carry the same answer, in whatever chunks it comes", () => {
    fc.assert(
      fc.property(client, upstream, answers, shape, fc.boolean(), sizes, (to, from, all, form, limited, cuts) => {
        const parts = sayable(all, from);
        const wire = Buffer.concat(wireOf(from, parts, { ...form, id: "a", limited }));
        const { wire: out, outcome } = pour(watchFor(to, from), wire, cuts);
        const view = viewOf(to, out);
        expect([outcome, view.problems, view.terminators, view.errors]).toEqual(["whole", [], 1, 0]);
        expect(contentOf(view)).toEqual(expected(to, parts));
        // However it is cut, the client gets the same bytes.
        const atOnce = pour(watchFor(to, from), wire, [wire.length]);
        expect(viewOf(to, atOnce.wire)).toEqual(view);
      }),
      { numRuns: 1000 },
    );
  });

  it("are one answer or a reported half, wherever streams break and whoever completes them", () => {
    const seen = { whole: 0, reported: 0 };
    fc.assert(
      fc.property(
        client,
        fc.tuple(upstream, upstream, upstream),
        answers,
        fc.tuple(shape, shape, shape),
        fc.tuple(fc.nat(), fc.nat()),
        sizes,
        (to, by, all, forms, breaks, cuts) => {
          const parts = sayable(all, ...by);
          const wireOfTurn = (turn: 0 | 1 | 2): Buffer =>
            Buffer.concat(wireOf(by[turn], parts, { ...forms[turn], id: "abc".charAt(turn), limited: false }));
          const first = wireOfTurn(0);
          const begun = pour(watchFor(to, by[0]), first.subarray(0, breaks[0] % first.length), cuts);
          fc.pre(begun.outcome === "broken");
          const { out, isWhole, inVain } = complete(
            to,
            begun,
            [
              { from: by[1], bytes: wireOfTurn(1).subarray(0, breaks[1] % (wireOfTurn(1).length * 2)) },
              { from: by[2], bytes: wireOfTurn(2) },
            ],
            cuts,
          );
          seen[isWhole ? "whole" : "reported"]++;
          const view = viewOf(to, out);
          const whole = expected(to, parts);
          expect(isWhole ? wholeProblems(view, whole, inVain) : halfProblems(view, whole, inVain)).toEqual([]);
        },
      ),
      { numRuns: 2500 },
    );
    // Both must happen, or nothing was seen of one of them.
    expect(seen.whole).toBeGreaterThan(300);
    expect(seen.reported).toBeGreaterThan(30);
  });

  it("go on exactly with a text that does not repeat itself", () => {
    const words = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliet"];
    const sentences = fc.shuffledSubarray(words, { minLength: 2 });
    fc.assert(
      fc.property(
        client,
        upstream,
        upstream,
        sentences,
        shape,
        fc.nat(),
        sizes,
        (to, from, on, words, form, at, cuts) => {
          const text = words.join(" ");
          const wire = Buffer.concat(wireOf(from, [{ kind: "text", text }], { ...form, id: "a", limited: false }));
          const before = pour(watchFor(to, from), wire.subarray(0, at % wire.length), cuts);
          fc.pre(before.outcome === "broken" && dialects[to].completable(requests[to], before.sent).exact);
          const had = viewOf(to, before.wire + reported(to, before.sent)).text;
          const rest: Part[] = [{ kind: "text", text: text.slice(had.trimEnd().length) }];
          const resume = {
            mode: "exact",
            sent: before.sent,
            continuation: continuationOf("assistant-prefix"),
          } as const;
          const more = wireOf(on, rest[0]?.kind === "text" && rest[0].text !== "" ? rest : [], {
            ...form,
            id: "b",
            limited: false,
          });
          const after = pour(watchFor(to, on, resume), Buffer.concat(more), cuts, before.sent.length);
          const view = viewOf(to, before.wire + after.wire);
          expect([after.outcome, view.problems, view.text, view.terminators]).toEqual(["whole", [], text, 1]);
        },
      ),
      { numRuns: 500 },
    );
  });
});
