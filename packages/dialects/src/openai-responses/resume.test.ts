import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { TranslatedWatch } from "../hub/watch.ts";
import { openai } from "../providers/openai.ts";
import type { StreamWatch } from "../stream-watch.ts";
import { responsesClient, responsesUpstream } from "./codec.ts";
import { openaiResponses } from "./dialect.ts";
import { context, eventsOf, type ParsedEvent } from "./fixtures.test-data.ts";

/** One item of an answer, by what is said in it. */
interface Said {
  readonly kind: "reasoning" | "message" | "call";
  readonly text: string;
}

/** The events of a whole stream, as OpenAI sends them. @param id what this provider calls the answer */
function streamOf(items: readonly Said[], id: string): string[] {
  const events: Record<string, unknown>[] = [];
  const response = { id: `resp_${id}`, object: "response", model: "gpt", created_at: 1, output: [] as unknown[] };
  const add = (type: string, fields: Record<string, unknown>): void =>
    void events.push({ type: `response.${type}`, sequence_number: events.length, ...fields });
  add("created", { response: { ...response, status: "in_progress" } });
  add("in_progress", { response: { ...response, status: "in_progress" } });
  const output = items.map((item, index) => writeItem(item, `${id}_${index}`, index, add));
  const usage = { input_tokens: 3, output_tokens: 9 };
  add("completed", { response: { ...response, output, usage, status: "completed" } });
  return events.map((event) => `event: ${String(event.type)}\ndata: ${JSON.stringify(event)}\n\n`);
}

function writeItem(
  item: Said,
  id: string,
  index: number,
  add: (type: string, fields: Record<string, unknown>) => void,
): Record<string, unknown> {
  const pieces = item.text.match(/.{1,3}/gsu) ?? [];
  const at = { output_index: index };
  if (item.kind === "message") {
    const begun = { id: `msg_${id}`, type: "message", role: "assistant", status: "in_progress", content: [] };
    add("output_item.added", { ...at, item: begun });
    const place = { ...at, item_id: begun.id, content_index: 0 };
    add("content_part.added", { ...place, part: { type: "output_text", text: "", annotations: [] } });
    for (const delta of pieces) add("output_text.delta", { ...place, delta, logprobs: [] });
    add("output_text.done", { ...place, text: item.text });
    const part = { type: "output_text", text: item.text, annotations: [], logprobs: [] };
    add("content_part.done", { ...place, part });
    const done = { ...begun, status: "completed", content: [part] };
    add("output_item.done", { ...at, item: done });
    return done;
  }
  if (item.kind === "reasoning") {
    const begun = { id: `rs_${id}`, type: "reasoning", summary: [] };
    add("output_item.added", { ...at, item: begun });
    const place = { ...at, item_id: begun.id, summary_index: 0 };
    add("reasoning_summary_part.added", { ...place, part: { type: "summary_text", text: "" } });
    for (const delta of pieces) add("reasoning_summary_text.delta", { ...place, delta });
    const done = { ...begun, summary: [{ type: "summary_text", text: item.text }] };
    add("output_item.done", { ...at, item: done });
    return done;
  }
  const begun = { id: `fc_${id}`, type: "function_call", call_id: `call_${id}`, name: "f", arguments: "" };
  add("output_item.added", { ...at, item: begun });
  for (const delta of pieces) add("function_call_arguments.delta", { ...at, item_id: begun.id, delta });
  const done = { ...begun, arguments: item.text, status: "completed" };
  add("output_item.done", { ...at, item: done });
  return done;
}

function express(): StreamWatch {
  return openaiResponses.watch({ wantsUsage: true, choices: 1, preset: openai, contentType: null, keep: true });
}

/** What a client gets of a stream that breaks after some events, and of another that answers again. */
function completed(items: readonly Said[], cut: number): { bytes: Buffer; failed: boolean } {
  const first = express();
  const out: Buffer[] = [];
  for (const event of streamOf(items, "one").slice(0, cut)) {
    first.push(Buffer.from(event));
    out.push(...first.forward);
  }
  const { sent } = first;
  if (sent === null) throw new Error("nothing was kept");
  const mode = openaiResponses.completable(Buffer.from('{"input":"Hi"}'), sent).anew ? "anew" : "replay";
  const second = new TranslatedWatch(
    {
      wantsUsage: true,
      choices: 1,
      preset: openai,
      contentType: null,
      resume: { mode, sent, continuation: null },
    },
    { upstream: responsesUpstream, client: responsesClient, context: context(), heartbeat: Buffer.alloc(0) },
  );
  for (const event of streamOf(items, "two")) {
    second.push(Buffer.from(event));
    out.push(...second.forward);
  }
  const end = second.end();
  if (end.ok) out.push(end.trailer);
  return { bytes: Buffer.concat(out), failed: !end.ok };
}

const text = fc.string({ minLength: 1, maxLength: 10, unit: "grapheme-ascii" });
const item: fc.Arbitrary<Said> = fc.oneof(
  text.map((said): Said => ({ kind: "message", text: said })),
  text.map((said): Said => ({ kind: "reasoning", text: said })),
  text.map((said): Said => ({ kind: "call", text: JSON.stringify({ said }) })),
);
/** As models answer: no two messages or thoughts in a row. */
const items = fc
  .array(item, { minLength: 1, maxLength: 4 })
  .filter((all) => all.every(({ kind }, index) => kind === "call" || kind !== all[index - 1]?.kind));

describe("a stream that another deployment completes by answering again", () => {
  it("is one response to its client, wherever it broke", () => {
    fc.assert(
      fc.property(items, fc.nat(), (all, at) => {
        const whole = streamOf(all, "one");
        // After the first content, and before the end.
        const cut = 4 + (at % Math.max(1, whole.length - 5));
        const { bytes, failed } = completed(all, Math.min(cut, whole.length - 1));
        expect(failed).toBe(false);
        const events = eventsOf(bytes);
        expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index));
        const last = events.at(-1)?.response as { id: string; output: Record<string, unknown>[] };
        expect(last.id).toBe("resp_one");
        expect(events.filter(({ type }) => type === "response.created")).toHaveLength(1);
        const said = all.map((one) => one.text);
        // A thought that broke off stands before the answer that began anew.
        const texts = last.output.map(saidIn);
        const thoughts = texts.slice(0, texts.length - said.length);
        expect(texts.slice(thoughts.length)).toEqual(said);
        for (const thought of thoughts)
          expect(all[0]).toMatchObject({ kind: "reasoning", text: expect.stringContaining(thought) });
        expect(last.output).toEqual(doneItems(events));
        expect(deltasBy(events)).toEqual(last.output.map(saidIn));
      }),
      { numRuns: 300 },
    );
  });

  it("keeps the items that the first stream finished, ids and all", () => {
    const all: Said[] = [
      { kind: "reasoning", text: "Let me think." },
      { kind: "message", text: "Hello there, how are you?" },
    ];
    const whole = streamOf(all, "one");
    const cut = whole.findIndex((event) => event.includes("output_text.delta")) + 2;
    const events = eventsOf(completed(all, cut).bytes);
    expect(events.at(-1)?.response).toMatchObject({
      status: "completed",
      output: [
        { id: "rs_one_0", type: "reasoning" },
        { id: "msg_one_1", type: "message", status: "completed" },
      ],
    });
  });
});

describe("an error in the middle of a stream", () => {
  it("has the next number, and both forms", () => {
    const watch = express();
    for (const event of streamOf([{ kind: "message", text: "Hello" }], "one").slice(0, 5))
      watch.push(Buffer.from(event));
    const error = {
      code: "stream_broken",
      status: 502,
      type: "server_error",
      message: "broke",
      param: null,
      attempts: [],
      retryAfterMs: null,
    } as const;
    const [event] = eventsOf(openaiResponses.writeErrorEvent(error, "trace", watch.head));
    expect(event).toMatchObject({
      type: "error",
      sequence_number: 5,
      code: "stream_broken",
      message: "broke",
      error: { code: "stream_broken", message: "broke", metadata: { trace_id: "trace" } },
    });
  });
});

function saidIn(one: Record<string, unknown>): string {
  if (one.type === "function_call") return one.arguments as string;
  const parts = (one.content ?? one.summary) as readonly { readonly text: string }[];
  return parts.map((part) => part.text).join("");
}

function doneItems(events: readonly ParsedEvent[]): unknown[] {
  const done: unknown[] = [];
  for (const event of events)
    if (event.type === "response.output_item.done") done[event.output_index as number] = event.item;
  return done;
}

function deltasBy(events: readonly ParsedEvent[]): string[] {
  const texts: string[] = [];
  for (const event of events) {
    const index = event.output_index as number;
    if (event.type === "response.output_item.added") texts[index] = "";
    if (event.type.endsWith(".delta")) texts[index] += event.delta as string;
  }
  return texts;
}
