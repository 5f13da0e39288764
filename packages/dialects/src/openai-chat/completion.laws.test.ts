import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { CompletionMode } from "../completion/completion.ts";
import { continuationOf } from "../providers/continuation.ts";
import type { Continuation } from "../providers/continuation.ts";
import { openai } from "../providers/openai.ts";
import type { StreamWatch } from "../stream-watch.ts";
import { openaiChat } from "./dialect.ts";

const request = { model: "m", stream: true, messages: [{ role: "user", content: "Say it." }] };
const base = { wantsUsage: true, choices: 1, preset: openai, contentType: "text/event-stream" };

function event(id: string, fields: object): string {
  return `data: ${JSON.stringify({ id, object: "chat.completion.chunk", created: id.length, model: `model-${id}`, ...fields })}\n\n`;
}

/** A whole stream of one answer, as a provider would write it. */
function streamOf(
  id: string,
  pieces: readonly string[],
  usage: readonly [number, number] = [10, pieces.length],
): string {
  const choice = (delta: object, finish: string | null = null): string =>
    event(id, { choices: [{ index: 0, delta, finish_reason: finish }] });
  const [input, output] = usage;
  return [
    choice({ role: "assistant", content: "" }),
    ...pieces.map((content) => choice({ content })),
    choice({}, "stop"),
    event(id, {
      choices: [],
      usage: { prompt_tokens: input, completion_tokens: output, total_tokens: input + output },
    }),
    "data: [DONE]\n\n",
  ].join("");
}

/** What the client holds, by a reader that knows nothing of the watch. */
interface Held {
  readonly text: string;
  readonly ids: readonly string[];
  readonly roles: number;
  readonly finishes: readonly string[];
  readonly usages: readonly { readonly prompt_tokens: number; readonly completion_tokens: number }[];
}

function heldBy(wire: string): Held {
  const ids = new Set<string>();
  const held = { text: "", roles: 0, finishes: [] as string[], usages: [] as Held["usages"][number][] };
  for (const block of wire.split("\n\n")) {
    if (!block.startsWith("data: ")) continue;
    const chunk = JSON.parse(block.slice(6)) as {
      id: string;
      model: string;
      created: number;
      choices: { delta: { role?: string; content?: string }; finish_reason: string | null }[];
      usage?: Held["usages"][number];
    };
    ids.add(`${chunk.id} ${chunk.model} ${chunk.created}`);
    if (chunk.usage) held.usages.push(chunk.usage);
    for (const { delta, finish_reason: finish } of chunk.choices) {
      if (delta.role !== undefined) held.roles++;
      held.text += delta.content ?? "";
      if (finish !== null) held.finishes.push(finish);
    }
  }
  return { ...held, ids: [...ids] };
}

/** Feeds a stream, cut into chunks of the given sizes. @returns what the client gets of it */
function feed(watch: StreamWatch, bytes: Buffer, sizes: readonly number[]): string {
  const out: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? bytes.length;
    watch.push(bytes.subarray(at, at + size));
    out.push(...watch.forward);
    at += size;
  }
  return Buffer.concat(out).toString();
}

/** What a server answers to a body. */
type Server = (body: {
  readonly messages: readonly { readonly role: string; readonly content: string }[];
}) => readonly string[];

interface Broken {
  readonly wire: string;
  readonly watch: StreamWatch;
}

/** The first provider's stream, broken off after so many bytes. */
function broken(pieces: readonly string[], cut: number, sizes: readonly number[]): Broken {
  const bytes = Buffer.from(streamOf("a", pieces));
  const watch = openaiChat.watch({ ...base, keep: true });
  return { watch, wire: feed(watch, bytes.subarray(0, cut % (bytes.length + 1)), sizes) };
}

/** Broken off after so many pieces. */
function brokenAfter(pieces: readonly string[], count: number): Broken {
  const stream = streamOf("a", pieces);
  const piece = `"content":${JSON.stringify(pieces[count])}`;
  return broken(pieces, Buffer.byteLength(stream.slice(0, stream.indexOf(piece))), [70]);
}

interface Completed {
  readonly wire: string;
  readonly failure: string | null;
}

/** Completes what broke, in one mode, from one server. */
function complete(
  { watch: { sent }, wire }: Broken,
  mode: CompletionMode,
  continuation: Continuation | null,
  server: Server,
  sizes: readonly number[],
): Completed {
  if (sent === null) throw new Error("nothing was kept");
  const plain = Buffer.from(JSON.stringify(request));
  const body = mode === "replay" || mode === "anew" ? plain : openaiChat.continueRequest(plain, sent, continuation);
  const pieces = server(JSON.parse(body.toString()) as Parameters<Server>[0]);
  const watch = openaiChat.watch({ ...base, resume: { mode, sent, continuation } });
  const more = feed(watch, Buffer.from(streamOf("b", pieces)), sizes);
  const end = watch.end();
  return { wire: wire + more, failure: end.ok ? null : end.failure.reason };
}

const prefixOf: (body: Parameters<Server>[0]) => string = ({ messages }) => {
  const last = messages.at(-1);
  return last?.role === "assistant" ? last.content : "";
};

/** Characters of one to four bytes, and text that repeats itself: where an overlap can't be told from the answer's own words. */
const piece = fc.oneof(
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 6 }),
  fc.string({ unit: fc.constantFrom("a", "b", " "), minLength: 1, maxLength: 3 }),
  fc.constantFrom("é", "日本", "🎉", "\n\n", " the", " cat", "---", '"}'),
);
const letters = Array.from("abcdefghijklmnopqrstuvwxyz");
const word = fc.string({ unit: fc.constantFrom(...letters), minLength: 3, maxLength: 8 });
const scene = fc.record({
  pieces: fc.array(piece, { minLength: 1, maxLength: 14 }),
  otherPieces: fc.array(piece, { minLength: 1, maxLength: 14 }),
  cut: fc.nat(),
  sizes: fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 4 }),
  recut: fc.integer({ min: 1, max: 7 }),
});

/** The same text in pieces of another size, as another tokenizer has them. */
const recutBy = (text: string, size: number): string[] => text.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];

/** It broke after content and before its end. */
function isOpen({ watch: { committed, complete: finished } }: Broken): boolean {
  return committed && !finished;
}

function canGoOn({ watch: { sent } }: Broken): boolean {
  return sent !== null && openaiChat.completable(Buffer.from(JSON.stringify(request)), sent).exact;
}

/** What the client makes of it: a whole answer, an honest half of it, or what is wrong. */
function verdict({ wire, failure }: Completed, whole: string): string {
  const { text, roles, finishes, ids, usages } = heldBy(wire);
  if (!whole.startsWith(text)) return `altered: ${JSON.stringify(text)}`;
  if (failure !== null) return finishes.length === 0 ? "reported" : "reported, and said to be whole";
  const one = { roles, finishes: finishes.join(), ids: ids.join(), usages: usages.length };
  const clean = JSON.stringify({ roles: 1, finishes: "stop", ids: "a model-a 1", usages: 1 });
  if (JSON.stringify(one) !== clean) return `not one answer: ${JSON.stringify(one)}`;
  return text === whole ? "whole" : `lost: ${JSON.stringify(text)}`;
}

const exactWays = (["assistant-prefix", "vllm", "deepseek", "mistral"] as const).map((way) => continuationOf(way));

describe("a broken stream, wherever it was cut and however it comes in pieces", () => {
  /** Goes on with what the whole text has after the prefix. */
  const goesOn =
    (whole: string, echoes: boolean, recut: number): Server =>
    (body) => {
      const prefix = prefixOf(body);
      const rest = whole.startsWith(prefix) ? whole.slice(prefix.length) : "the prefix is not what was sent";
      return recutBy(echoes ? prefix + rest : rest, recut);
    };
  const startsOver =
    (whole: string, _echoes: boolean, recut: number): Server =>
    () =>
      recutBy(whole, recut);

  it.each([
    ["goes on", goesOn],
    ["starts over with the same words", startsOver],
  ])("is whole or reported, and never altered, when the server %s", (_, make) => {
    fc.assert(
      fc.property(scene, fc.constantFrom(...exactWays), ({ pieces, cut, sizes, recut }, continuation) => {
        const before = broken(pieces, cut, sizes);
        fc.pre(isOpen(before) && canGoOn(before));
        const whole = pieces.join("");
        const server = make(whole, continuation?.echoes ?? false, recut);
        const after = complete(before, "exact", continuation, server, sizes);
        expect(["whole", "reported"]).toContain(verdict(after, whole));
      }),
      { numRuns: 2000 },
    );
  });

  it("is always whole when the server goes on and the text does not repeat itself", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(word, { minLength: 2, maxLength: 14 }),
        scene,
        fc.constantFrom(...exactWays),
        (words, { cut, sizes, recut }, continuation) => {
          const pieces = words.map((text, index) => (index === 0 ? text : ` ${text}`));
          const before = broken(pieces, cut, sizes);
          fc.pre(isOpen(before));
          const whole = pieces.join("");
          const server = goesOn(whole, continuation?.echoes ?? false, recut);
          expect(verdict(complete(before, "exact", continuation, server, sizes), whole)).toBe("whole");
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("is whole after a replay in the same words, and reported after one in other words", () => {
    fc.assert(
      fc.property(scene, fc.boolean(), ({ pieces, otherPieces, cut, sizes, recut }, same) => {
        const before = broken(pieces, cut, sizes);
        fc.pre(isOpen(before));
        const had = heldBy(before.wire).text;
        const again = same ? pieces.join("") : otherPieces.join("");
        const fits = again.startsWith(had);
        const after = complete(before, "replay", null, () => recutBy(again, recut), sizes);
        expect(verdict(after, fits ? again : had)).toBe(fits ? "whole" : "reported");
        // A replay's usage is the whole answer's.
        const used = { prompt_tokens: 10, completion_tokens: recutBy(again, recut).length };
        expect(heldBy(after.wire).usages).toMatchObject(fits ? [used] : []);
      }),
      { numRuns: 2000 },
    );
  });

  it("holds none of the last words twice that a soft continuation repeats", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(word, { minLength: 6, maxLength: 20 }),
        fc.nat(),
        fc.nat({ max: 2 }),
        fc.integer({ min: 1, max: 7 }),
        (words, cut, overlap, recut) => {
          const pieces = words.map((text, index) => (index === 0 ? text : ` ${text}`));
          const at = 3 + (cut % (words.length - 3));
          const before = brokenAfter(pieces, at);
          const rest = pieces.slice(at - overlap).join("");
          const server: Server = () => recutBy(overlap === 0 ? rest : rest.trimStart(), recut);
          expect(verdict(complete(before, "soft", null, server, [33]), pieces.join(""))).toBe("whole");
        },
      ),
      { numRuns: 1000 },
    );
  });
});
