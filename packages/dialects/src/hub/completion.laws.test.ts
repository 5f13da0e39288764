import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { CompletionMode } from "../completion/completion.ts";
import { chatClient, chatUpstream } from "../openai-chat/codec.ts";
import { openaiChat } from "../openai-chat/dialect.ts";
import { trailer } from "../openai-chat/trailer.ts";
import { continuationOf, type Continuation } from "../providers/continuation.ts";
import { openai } from "../providers/openai.ts";
import type { StreamWatch, WatchOptions } from "../stream-watch.ts";
import { feed, hear, writeContext, type Heard } from "./hub.test-data.ts";
import { ExpressWatch, TranslatedWatch } from "./watch.ts";

const request = { model: "m", stream: true, messages: [{ role: "user", content: "Say it." }] };
const usual = { wantsUsage: true, choices: 1, preset: openai, contentType: "text/event-stream" } as const;

const translated = (options: Partial<WatchOptions>): StreamWatch =>
  new TranslatedWatch(
    { ...usual, ...options },
    { upstream: chatUpstream, client: chatClient, context: writeContext(), heartbeat: Buffer.from(": alive\n\n") },
  );

/** How the stream came that broke off: in whichever lane, the hub goes on with it. */
const beginnings: readonly ((options: Partial<WatchOptions>) => StreamWatch)[] = [
  translated,
  (options) => openaiChat.watch({ ...usual, ...options }),
  (options) =>
    new ExpressWatch(
      { ...usual, ...options },
      { codec: chatUpstream, trailer, headOf: (_name, data) => JSON.parse(data) as Record<string, unknown> },
    ),
];

interface Said {
  readonly thoughts: readonly string[];
  readonly texts: readonly string[];
  readonly calls: readonly { readonly name: string; readonly pieces: readonly string[] }[];
}

function event(id: string, fields: object): string {
  return `data: ${JSON.stringify({ id, object: "chat.completion.chunk", created: id.length, model: `model-${id}`, ...fields })}\n\n`;
}

/** A whole stream of one answer, as a provider would write it. */
function streamOf(id: string, { thoughts, texts, calls }: Said, usage: readonly [number, number] = [10, 20]): string {
  const choice = (delta: object, finish: string | null = null): string =>
    event(id, { choices: [{ index: 0, delta, finish_reason: finish }] });
  const call = (index: number, fields: object): string => choice({ tool_calls: [{ index, ...fields }] });
  const [input, output] = usage;
  return [
    choice({ role: "assistant", content: "" }),
    ...thoughts.map((piece) => choice({ reasoning_content: piece })),
    ...texts.map((content) => choice({ content })),
    ...calls.flatMap(({ name, pieces }, index) => [
      call(index, { id: `${id}-${index}`, type: "function", function: { name, arguments: "" } }),
      ...pieces.map((piece) => call(index, { function: { arguments: piece } })),
    ]),
    choice({}, calls.length > 0 ? "tool_calls" : "stop"),
    event(id, { choices: [], usage: { prompt_tokens: input, completion_tokens: output } }),
    "data: [DONE]\n\n",
  ].join("");
}

const heardOf = (said: Said): Pick<Heard, "text" | "thought"> & { readonly calls: readonly (readonly string[])[] } => ({
  text: said.texts.join(""),
  thought: said.thoughts.join(""),
  calls: said.calls.map(({ name, pieces }) => [name, pieces.join("")]),
});

/** The same in pieces of another size, as another tokenizer has them. */
const recut = (text: string, size: number): string[] => text.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];
const recutAll = ({ thoughts, texts, calls }: Said, size: number): Said => ({
  thoughts: recut(thoughts.join(""), size),
  texts: recut(texts.join(""), size),
  calls: calls.map(({ name, pieces }) => ({ name, pieces: recut(pieces.join(""), size) })),
});

interface Broken {
  readonly wire: string;
  readonly watch: StreamWatch;
}

function broken(said: Said, cut: number, sizes: readonly number[], beginning: number): Broken {
  const bytes = Buffer.from(streamOf("a", said));
  const make = beginnings[beginning] ?? translated;
  const watch = make({ keep: true });
  return { watch, wire: feed(watch, bytes.subarray(0, cut % (bytes.length + 1)), sizes) };
}

/** It broke after content and before its end. */
const isOpen = ({ watch }: Broken): boolean => watch.committed && !watch.complete;

interface Completed {
  readonly heard: Heard;
  readonly failure: string | null;
}

function complete(
  { watch: { sent }, wire }: Broken,
  mode: CompletionMode,
  continuation: Continuation | null,
  stream: (body: string) => string,
  sizes: readonly number[],
): Completed {
  if (sent === null) throw new Error("nothing was kept");
  const plain = Buffer.from(JSON.stringify(request));
  const goesOn = mode === "exact" || mode === "soft";
  const body = goesOn ? chatUpstream.continueRequest(plain, sent, continuation) : plain;
  const watch = translated({ resume: { mode, sent, continuation } });
  const more = feed(watch, Buffer.from(stream(body.toString())), sizes);
  const end = watch.end();
  const heard = hear(wire + more + (end.ok ? end.trailer.toString() : ""));
  return { heard, failure: end.ok ? null : end.failure.reason };
}

/** What the client makes of it: a whole answer, an honest half of it, or what is wrong. */
function verdict({ heard, failure }: Completed, whole: Said): string {
  const expected = heardOf(whole);
  const calls = heard.calls.map(({ name, arguments: json }) => [name, json]);
  if (!expected.text.startsWith(heard.text) || !expected.thought.startsWith(heard.thought)) {
    return `altered: ${JSON.stringify(heard)}`;
  }
  const fits = calls.every(([name, json], index) => {
    const [knownName = "", knownJson = ""] = expected.calls[index] ?? [];
    return name === knownName && knownJson.startsWith(json ?? "");
  });
  if (!fits) return `altered: ${JSON.stringify(calls)}`;
  if (failure !== null) return heard.done || heard.finishes.length > 0 ? "reported, and said to be whole" : "reported";
  const { roles, finishes, usages, ids, done } = heard;
  const one = JSON.stringify({ roles, finishes: finishes.length, usages: usages.length, ids: ids.length, done });
  if (one !== JSON.stringify({ roles: 1, finishes: 1, usages: 1, ids: 1, done: true })) return `not one answer: ${one}`;
  const got = { text: heard.text, thought: heard.thought, calls };
  return JSON.stringify(got) === JSON.stringify(expected) ? "whole" : `lost: ${JSON.stringify(got)}`;
}

const piece = fc.oneof(
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 6 }),
  fc.string({ unit: fc.constantFrom("a", "b", " "), minLength: 1, maxLength: 3 }),
  fc.constantFrom("é", "日本", "🎉", "\n\n", " the", "---", '"}'),
);
const name = fc.string({ unit: fc.constantFrom("f", "g", "_"), minLength: 1, maxLength: 4 });
const word = fc.string({
  unit: fc.constantFrom(...Array.from("abcdefghijklmnopqrstuvwxyz")),
  minLength: 3,
  maxLength: 8,
});
const answers: fc.Arbitrary<Said> = fc.record({
  thoughts: fc.array(piece, { maxLength: 3 }),
  texts: fc.array(piece, { minLength: 1, maxLength: 10 }),
  calls: fc.array(fc.record({ name, pieces: fc.array(piece, { maxLength: 3 }) }), { maxLength: 2 }),
});
const scene = fc.record({
  cut: fc.nat(),
  sizes: fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 4 }),
  size: fc.integer({ min: 1, max: 7 }),
  beginning: fc.nat({ max: beginnings.length - 1 }),
});
const exactWays = (["assistant-prefix", "vllm", "deepseek", "mistral"] as const).map((way) => continuationOf(way));
const textOnly = (texts: readonly string[]): Said => ({ thoughts: [], texts, calls: [] });

function prefixOf(body: string): string {
  const { messages } = JSON.parse(body) as { messages: { role: string; content: string }[] };
  const last = messages.at(-1);
  return last?.role === "assistant" ? last.content : "";
}

describe("a stream that another deployment completes through the hub, wherever it was cut,", () => {
  it("is whole or reported after an exact continuation, whether the server goes on or starts over", () => {
    fc.assert(
      fc.property(
        fc.array(piece, { minLength: 1, maxLength: 14 }),
        scene,
        fc.constantFrom(...exactWays),
        fc.boolean(),
        (texts, { cut, sizes, size, beginning }, continuation, startsOver) => {
          const before = broken(textOnly(texts), cut, sizes, beginning);
          const { sent } = before.watch;
          fc.pre(isOpen(before) && sent !== null);
          fc.pre(openaiChat.completable(Buffer.from(JSON.stringify(request)), sent).exact);
          const whole = texts.join("");
          const after = complete(
            before,
            "exact",
            continuation,
            (body) => {
              const prefix = prefixOf(body);
              const rest = continuation?.echoes === true || startsOver ? whole : whole.slice(prefix.length);
              return streamOf("b", textOnly(recut(rest, size)));
            },
            sizes,
          );
          expect(["whole", "reported"]).toContain(verdict(after, textOnly(texts)));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("is always whole after an exact continuation of a text that does not repeat itself", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(word, { minLength: 2, maxLength: 14 }),
        scene,
        fc.constantFrom(...exactWays),
        (words, { cut, sizes, size, beginning }, continuation) => {
          const texts = words.map((each, index) => (index === 0 ? each : ` ${each}`));
          const before = broken(textOnly(texts), cut, sizes, beginning);
          fc.pre(isOpen(before));
          const whole = texts.join("");
          const goesOn = (body: string): string => {
            const rest = continuation?.echoes === true ? whole : whole.slice(prefixOf(body).length);
            return streamOf("b", textOnly(recut(rest, size)));
          };
          expect(verdict(complete(before, "exact", continuation, goesOn, sizes), textOnly(texts))).toBe("whole");
        },
      ),
      { numRuns: 1000 },
    );
  });

  it("is whole after a replay in the same words, with calls and reasoning, and reported after one in other words", () => {
    fc.assert(
      fc.property(answers, answers, scene, fc.boolean(), (said, other, { cut, sizes, size, beginning }, same) => {
        const before = broken(said, cut, sizes, beginning);
        fc.pre(isOpen(before));
        const again = recutAll(same ? said : other, size);
        const after = complete(before, "replay", null, () => streamOf("b", again), sizes);
        const had = hear(before.wire);
        const wholes = same ? ["whole"] : ["whole", "reported"];
        expect(wholes).toContain(verdict(after, after.failure === null ? again : said));
        // The replay's usage is the whole answer's.
        expect(after.heard.usages).toEqual(after.failure === null ? [[10, 20]] : []);
        // Nothing that was sent before is taken back or said again.
        expect(after.heard.text.startsWith(had.text)).toBe(true);
        expect(after.heard.ids).toHaveLength(1);
      }),
      { numRuns: 2000 },
    );
  });

  it("begins anew after reasoning, with the new reasoning behind the old", () => {
    fc.assert(
      fc.property(answers, answers, scene, (said, other, { cut, sizes, size, beginning }) => {
        const before = broken(said, cut, sizes, beginning);
        const { sent } = before.watch;
        fc.pre(isOpen(before) && sent !== null);
        fc.pre(openaiChat.completable(Buffer.from(JSON.stringify(request)), sent).anew);
        const had = hear(before.wire).thought;
        const after = complete(before, "anew", null, () => streamOf("b", recutAll(other, size)), sizes);
        expect(verdict(after, { ...other, thoughts: [had, ...other.thoughts] })).toBe("whole");
      }),
      { numRuns: 1000 },
    );
  });

  it("counts the prompt once and all that was generated", () => {
    const texts = ["one", " two", " three", " four"];
    const wire = streamOf("a", textOnly(texts));
    const before = broken(textOnly(texts), wire.indexOf(" three"), [1000], 0);
    const rest = streamOf("b", textOnly([" three", " four"]), [12, 2]);
    const after = complete(before, "exact", continuationOf("vllm"), () => rest, [1000]);
    expect(after.heard.usages).toEqual([[10, 4]]);
    expect(after.heard.text).toBe("one two three four");
  });
});
