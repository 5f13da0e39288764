import { readMessageStream } from "@tuloy/testkit";
import { describe, expect, it } from "vitest";

import type { HubSink } from "../hub/answer.ts";
import { bare, context } from "./told.test-data.ts";
import { MessageWriter } from "./write-answer.ts";
import { MessageEventWriter } from "./write-events.ts";

describe("an answer of another provider, written for Anthropic's clients", () => {
  const telling = (sink: HubSink): void => {
    sink.begin("chatcmpl-1", "gpt-4.1");
    sink.thought("so ");
    sink.thought("so");
    sink.text("Hello");
    sink.toolCall(0, "", "f", { dialect: "gemini", data: "sig" });
    sink.toolArguments(0, '{"a":');
    sink.toolArguments(0, "1}");
    sink.finish("tool_calls", null);
    sink.usage({ input_tokens: 9, cached_input_tokens: 4, output_tokens: 5, reasoning_tokens: 0, source: "provider" });
  };
  const expected = {
    id: "chatcmpl-1",
    type: "message",
    role: "assistant",
    model: "gpt-4.1",
    content: [
      { type: "thinking", thinking: "so so", signature: "tuloy:" },
      { type: "text", text: "Hello" },
      { type: "redacted_thinking", data: "tuloy:call:tuloy:gemini::sig" },
      { type: "tool_use", id: "made", name: "f", input: { a: 1 } },
    ],
    stop_reason: "tool_use",
    stop_sequence: null,
    usage: { input_tokens: 5, cache_read_input_tokens: 4, cache_creation_input_tokens: 0, output_tokens: 5 },
  };

  it("is a whole message", () => {
    const writer = new MessageWriter(context);
    telling(writer);
    const body = JSON.parse(writer.toBody().toString()) as { content: object[] };
    expect({ ...body, content: body.content.map(bare) }).toEqual(expected);
  });

  it("is a stream with its counts at the end", () => {
    const writer = new MessageEventWriter(context, null);
    telling(writer);
    const stream = readMessageStream(Buffer.concat([...writer.take(), writer.end()]));
    expect([stream.problems, { ...stream.message, content: stream.content }]).toEqual([[], expected]);
  });

  it("names the model as the gateway is told to", () => {
    const writer = new MessageEventWriter({ ...context, reportModel: "model-x" }, null);
    telling(writer);
    expect(readMessageStream(Buffer.concat([...writer.take(), writer.end()])).message?.model).toBe("model-x");
  });

  it("shows what is no JSON object where a client will see it", () => {
    const writer = new MessageWriter(context);
    writer.toolCall(0, "t", "f", null);
    writer.toolArguments(0, "[1,");
    writer.finish("tool_calls", null);
    expect(JSON.parse(writer.toBody().toString())).toMatchObject({ content: [{ input: { arguments: "[1," } }] });
  });
});
