import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Usage } from "@tuloy/contract";

import { carried, carry, madeItemId, madeResponseId } from "./carried.ts";
import { context, eventsOf, Listener, noMarkers, retell, type ParsedEvent, type Told } from "./fixtures.test-data.ts";
import { readAnswer } from "./hub-answer.ts";
import { ResponsesEventReader } from "./hub-events.ts";
import { ResponseWriter } from "./writer.ts";

const usage: Usage = {
  input_tokens: 9,
  cached_input_tokens: 4,
  output_tokens: 6,
  reasoning_tokens: 2,
  source: "provider",
};

const said = fc.string({ minLength: 1, maxLength: 12 });
const json = fc.oneof(
  fc.constant("{}"),
  fc.dictionary(fc.string({ maxLength: 4 }), fc.integer()).map((o) => JSON.stringify(o)),
);

const drawn = fc.record({
  thoughts: fc.array(fc.tuple(said, fc.option(said)), { maxLength: 2 }),
  redacted: fc.option(said),
  text: fc.array(said, { maxLength: 4 }),
  refusal: fc.option(said),
  calls: fc.array(fc.tuple(said, json, fc.option(said)), { maxLength: 3 }),
  limit: fc.constantFrom(null, "length" as const, "content_filter" as const),
});

/** An answer as a provider tells it. */
const answer: fc.Arbitrary<readonly Told[]> = drawn.map(tellingOf);

type Drawn = typeof drawn extends fc.Arbitrary<infer T> ? T : never;

function tellingOf({ thoughts, redacted, text, refusal, calls, limit }: Drawn): Told[] {
  const told: Told[] = [["begin", "up-1", "model-x"]];
  for (const [thought, signature] of thoughts) {
    told.push(["thought", thought], ["opaque", { dialect: "anthropic-messages", data: signature ?? "s" }, false]);
  }
  if (redacted !== null) told.push(["opaque", { dialect: "anthropic-messages", data: redacted }, true]);
  for (const piece of text) told.push(["text", piece]);
  if (refusal !== null) told.push(["refusal", refusal]);
  for (const [call, [name, args, proof]] of calls.entries()) {
    const opaque = proof === null ? null : ({ dialect: "gemini", data: proof } as const);
    told.push(["call", call, `call_${call}`, name, opaque], ["arguments", call, args]);
  }
  const only = text.length === 0 && refusal !== null ? "refusal" : "stop";
  told.push(["usage", usage], ["finish", limit ?? (calls.length > 0 ? "tool_calls" : only)]);
  return told;
}

function whole(told: readonly Told[]): Record<string, unknown> {
  const writer = new ResponseWriter(context(), false);
  retell(told, writer);
  return JSON.parse(writer.toBody().toString()) as Record<string, unknown>;
}

function streamed(told: readonly Told[]): ParsedEvent[] {
  const writer = new ResponseWriter(context(), true);
  const bytes: Buffer[] = [];
  for (const one of told) {
    retell([one], writer);
    bytes.push(...writer.take());
  }
  bytes.push(writer.end());
  return eventsOf(Buffer.concat(bytes));
}

describe("a response that is written", () => {
  it("is the same whole and at the end of its stream", () => {
    fc.assert(
      fc.property(answer, (told) => {
        expect(streamed(told).at(-1)?.response).toEqual(whole(told));
      }),
    );
  });

  it("is what its own events add up to", () => {
    fc.assert(
      fc.property(answer, (told) => {
        const events = streamed(told);
        const output: Record<string, unknown>[] = [];
        for (const event of events) {
          if (event.type === "response.output_item.done") output[event.output_index as number] = event.item as never;
        }
        expect(output).toEqual(whole(told).output);
        expect(gathered(events)).toEqual(output.map(textsIn));
      }),
    );
  });

  it("numbers its events from 0 without gaps, and every item and part begins and ends once", () => {
    fc.assert(
      fc.property(answer, (told) => {
        const events = streamed(told);
        expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index));
        expect(events.slice(0, 2).map(({ type }) => type)).toEqual(["response.created", "response.in_progress"]);
        const open = new Set<string>();
        for (const event of events) follow(event, open);
        expect([...open]).toEqual([]);
      }),
    );
  });

  it("is read again as what it was written from", () => {
    fc.assert(
      fc.property(answer, (told) => {
        const listener = new Listener();
        retell(told, listener);
        const wanted = comparable(listener.told);
        const fromWhole = new Listener();
        readAnswer(Buffer.from(JSON.stringify(whole(told))), noMarkers, fromWhole);
        expect(comparable(fromWhole.told)).toEqual(wanted);
        const fromStream = new Listener();
        const reader = new ResponsesEventReader(fromStream, noMarkers);
        for (const event of streamed(told)) reader.event(event.type, JSON.stringify(event));
        expect(comparable(fromStream.told)).toEqual(wanted);
        expect(reader.finished).toBe(true);
      }),
    );
  });

  it("repeats what its request said, with the API's defaults", () => {
    const writer = new ResponseWriter(
      context({
        model: "model-x",
        input: "Hi",
        instructions: "Be brief.",
        metadata: { order: "7" },
        tools: [{ type: "function", name: "f", parameters: {}, strict: true }],
        temperature: 0.2,
        reasoning: { effort: "low" },
        text: { verbosity: "low" },
        store: true,
      }),
      false,
    );
    writer.begin("chatcmpl-9", "model-x-2026");
    writer.text("Hello");
    writer.usage(usage);
    writer.finish("stop", null);
    expect(JSON.parse(writer.toBody().toString())).toMatchObject({
      id: "resp_tuloy_0a1b2c",
      object: "response",
      created_at: 1_700_000_000,
      status: "completed",
      model: "model-x-2026",
      instructions: "Be brief.",
      metadata: { order: "7" },
      temperature: 0.2,
      top_p: 1,
      tool_choice: "auto",
      tools: [{ type: "function", name: "f" }],
      parallel_tool_calls: true,
      reasoning: { effort: "low", summary: null },
      text: { format: { type: "text" }, verbosity: "low" },
      truncation: "disabled",
      store: false,
      previous_response_id: null,
      output: [
        {
          type: "message",
          role: "assistant",
          status: "completed",
          content: [{ type: "output_text", text: "Hello", annotations: [] }],
        },
      ],
      usage: {
        input_tokens: 9,
        input_tokens_details: { cached_tokens: 4 },
        output_tokens: 6,
        output_tokens_details: { reasoning_tokens: 2 },
        total_tokens: 15,
      },
    });
  });

  it.each([
    ["length", "max_output_tokens"],
    ["content_filter", "content_filter"],
  ] as const)("is incomplete when it ended by %s", (finish, reason) => {
    const told: Told[] = [
      ["begin", null, null],
      ["text", "Half"],
      ["finish", finish],
    ];
    expect(whole(told)).toMatchObject({
      status: "incomplete",
      incomplete_details: { reason },
      output: [{ status: "incomplete" }],
    });
    expect(streamed(told).at(-1)?.type).toBe("response.incomplete");
  });

  it("says that it was cut, when the model declined without a word, and puts none into its mouth", () => {
    expect(
      whole([
        ["begin", null, null],
        ["finish", "refusal"],
      ]),
    ).toMatchObject({
      status: "incomplete",
      incomplete_details: { reason: "content_filter" },
      output: [],
    });
  });

  it("loses no arguments of calls that come interleaved", () => {
    const calls: Told[] = [
      ["begin", null, null],
      ["call", 0, "a", "f", null],
      ["arguments", 0, '{"x":'],
      ["call", 1, "b", "g", null],
      ["arguments", 1, '{"y":'],
      ["arguments", 0, "1}"],
      ["arguments", 1, "2}"],
      ["finish", "tool_calls"],
    ];
    const wanted = [
      { call_id: "a", arguments: '{"x":1}', status: "completed" },
      { call_id: "b", arguments: '{"y":2}', status: "completed" },
    ];
    expect(whole(calls).output).toMatchObject(wanted);
    expect(streamed(calls).at(-1)?.response).toMatchObject({ output: wanted });
  });
});

describe("what another dialect wants back", () => {
  it("survives the way through the client", () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.constantFrom("thought" as const, "redacted" as const, "call" as const),
        (data, of) => {
          const opaque = { dialect: "gemini" as const, data };
          expect(carried(carry(opaque, of))).toEqual({ opaque, of });
        },
      ),
    );
  });

  it("is told apart from what OpenAI encrypted", () => {
    for (const text of ["gAAAA.b.c", "tuloy.", "tuloy.nobody.thought.x", "tuloy.gemini.dream.x"])
      expect(carried(text)).toEqual({ opaque: { dialect: "openai-responses", data: text }, of: "thought" });
  });

  it("has ids of at most 64 characters", () => {
    expect(madeItemId("msg", madeResponseId("x".repeat(100)), 4095).length).toBeLessThanOrEqual(64);
  });
});

/** What the deltas of each item add up to. */
function gathered(events: readonly ParsedEvent[]): string[] {
  const texts: string[] = [];
  for (const event of events) {
    if (event.type === "response.output_item.added") texts[event.output_index as number] = "";
    if (event.type.endsWith(".delta")) texts[event.output_index as number] += event.delta as string;
  }
  return texts;
}

function textsIn(item: Record<string, unknown>): string {
  if (item.type === "function_call") return item.arguments as string;
  const parts = (item.content ?? item.summary) as readonly Record<string, string>[];
  return parts.map((part) => part.text ?? part.refusal).join("");
}

function follow(event: ParsedEvent, open: Set<string>): void {
  const place = `${event.item_id as string}/${(event.content_index ?? event.summary_index ?? "") as string}`;
  const id = (event.item as { id?: string } | undefined)?.id ?? "";
  const begins = (name: string): void => {
    if (open.has(name)) throw new Error(`${name} begins twice`);
    open.add(name);
  };
  const ends = (name: string): void => {
    if (!open.delete(name)) throw new Error(`${name} ends without a beginning`);
  };
  switch (event.type) {
    case "response.output_item.added":
      return begins(id);
    case "response.output_item.done":
      return ends(id);
    case "response.content_part.added":
    case "response.reasoning_summary_part.added":
      return begins(place);
    case "response.content_part.done":
    case "response.reasoning_summary_part.done":
      return ends(place);
    case "response.output_text.delta":
    case "response.refusal.delta":
    case "response.reasoning_summary_text.delta":
      if (!open.has(place)) throw new Error(`${event.type} outside its part`);
  }
}

/** Without what is made anew: the id, and how the pieces were cut. */
function comparable(told: readonly Told[]): Told[] {
  return told.flatMap((one): Told[] => {
    if (one[0] === "begin") return [["begin", null, one[2]]];
    // A call's proof travels in an item before the call, and arrives there.
    if (one[0] === "call" && one[4] !== null)
      return [
        ["opaque", one[4], true],
        ["call", one[1], one[2], one[3], null],
      ];
    return [one];
  });
}
