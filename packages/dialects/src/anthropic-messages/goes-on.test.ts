import { messageEvents, readMessageStream } from "@tuloy/testkit";
import { describe, expect, it } from "vitest";

import type { CompletionMode } from "../completion/completion.ts";
import type { SentAnswer } from "../completion/sent.ts";
import type { HubSink } from "../hub/answer.ts";
import { writeContext } from "../hub/hub.test-data.ts";
import type { Opaque } from "../hub/request.ts";
import { anthropicMessages } from "./dialect.ts";
import { MessageEventWriter } from "./write-events.ts";

describe("an answer that goes on with another", () => {
  const sig = (data: string): Opaque => ({ dialect: "anthropic-messages", data });

  /** What a client was sent by a stream of Anthropic's own that broke after so many of its events. */
  function brokenAfter(events: readonly string[]): { wire: string; sent: SentAnswer } {
    const options = {
      wantsUsage: false,
      choices: 1,
      preset: { markers: [] },
      contentType: "text/event-stream",
      keep: true,
    };
    const watch = anthropicMessages.watch(options);
    watch.push(Buffer.from(events.join("")));
    if (watch.sent === null) throw new Error("nothing was kept");
    return { wire: events.join(""), sent: watch.sent };
  }

  function goesOn(
    before: ReturnType<typeof brokenAfter>,
    mode: CompletionMode,
    tell: (sink: HubSink) => void,
  ): unknown {
    const writer = new MessageEventWriter(writeContext(), { sent: before.sent, mode });
    tell(writer);
    writer.finish("stop", null);
    const stream = readMessageStream(
      Buffer.from(before.wire + Buffer.concat([...writer.take(), writer.end()]).toString()),
    );
    expect([stream.problems, stream.stops]).toEqual([[], 1]);
    return stream.content.map(({ citations: _citations, ...rest }) => rest);
  }

  const thought = messageEvents([
    { type: "thinking", thinking: "so so", signature: "one" },
    { type: "text", text: "Hi you" },
  ]);
  const upTo = (name: string, count = 1): ReturnType<typeof brokenAfter> => {
    let seen = 0;
    const end = thought.findIndex((event) => event.includes(name) && ++seen === count);
    return brokenAfter(thought.slice(0, end + 1));
  };

  it("goes on in the block that is open", () => {
    expect(goesOn(upTo("text_delta"), "exact", (sink) => sink.text(" there"))).toEqual([
      { type: "thinking", thinking: "so so", signature: "one" },
      { type: "text", text: "Hi there" },
    ]);
  });

  it("writes nothing into a block that has begun and is of another kind", () => {
    const begun = messageEvents([
      { type: "text", text: "Hi" },
      { type: "tool_use", id: "t", name: "f", input: {} },
    ]);
    const before = brokenAfter(begun.slice(0, begun.findIndex((event) => event.includes('"tool_use"')) + 1));
    expect(goesOn(before, "replay", (sink) => sink.toolArguments(0, '{"a":1}'))).toEqual([
      { type: "text", text: "Hi" },
      { type: "tool_use", id: "t", name: "f", input: { a: 1 } },
    ]);
    const empty = upTo("content_block_start", 2);
    expect(goesOn(empty, "anew", (sink) => sink.thought("new"))).toEqual([
      { type: "thinking", thinking: "so so", signature: "one" },
      { type: "text", text: "" },
      { type: "thinking", thinking: "new", signature: "tuloy:" },
    ]);
  });

  it.each<[string, string, number, CompletionMode, (sink: HubSink) => void, readonly object[]]>([
    [
      "signs a thought that broke off with the signature of the answer that repeats it",
      "thinking_delta",
      1,
      "replay",
      (sink) => {
        sink.thought(" and");
        sink.thoughtOpaque(sig("two"), false, null);
      },
      [{ type: "thinking", thinking: "so and", signature: "two" }],
    ],
    [
      "does not sign a thought twice that broke off behind its signature",
      "signature_delta",
      1,
      "replay",
      (sink) => sink.text("Hi"),
      [
        { type: "thinking", thinking: "so so", signature: "one" },
        { type: "text", text: "Hi" },
      ],
    ],
    [
      "begins another thought where it begins anew",
      "thinking_delta",
      2,
      "anew",
      (sink) => {
        sink.thought("new");
        sink.thoughtOpaque(sig("two"), false, null);
      },
      [
        { type: "thinking", thinking: "so so", signature: "tuloy:" },
        { type: "thinking", thinking: "new", signature: "two" },
      ],
    ],
    [
      "leaves a signed thought as it is where it begins anew",
      "signature_delta",
      1,
      "anew",
      (sink) => sink.thoughtOpaque(sig("two"), false, null),
      [
        { type: "thinking", thinking: "so so", signature: "one" },
        { type: "thinking", thinking: "", signature: "two" },
      ],
    ],
  ])("%s", (_what, name, count, mode, tell, expected) => {
    expect(goesOn(upTo(name, count), mode, tell)).toEqual(expected);
  });
});
