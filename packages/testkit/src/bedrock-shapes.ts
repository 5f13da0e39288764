import { eventMessage } from "./aws-event-stream.ts";
import type { Reply } from "./reply.ts";
import type { ReceivedRequest, Script } from "./scripted-upstream.ts";

/** A block of an answer as Converse gives it. Binary members are base64, as on the wire. */
export type ConverseBlock =
  | { readonly text: string }
  | { readonly toolUse: { readonly toolUseId: string; readonly name: string; readonly input: unknown } }
  | { readonly reasoningContent: { readonly reasoningText: { readonly text: string; readonly signature?: string } } }
  | { readonly reasoningContent: { readonly redactedContent: string } };

export interface ConverseShape {
  /** Default `end_turn`, or `tool_use` where there is a call. Null leaves it out: a stream that breaks off. */
  readonly stopReason?: string | null;
  /** Fresh input, output, read from and written to the cache. Default 5, 7, 0, 0. */
  readonly usage?: readonly [input: number, output: number, cacheRead?: number, cacheWrite?: number];
  /** `additionalModelResponseFields`. */
  readonly fields?: unknown;
  readonly trace?: unknown;
  /** False leaves out `metadata`, the stream's last event. */
  readonly metadata?: boolean;
}

/** One event of ConverseStream. AWS pads payloads with a member `p` so that lengths say nothing. */
export function converseEvent(type: string, payload: unknown): Buffer {
  const padded = typeof payload === "object" && payload !== null ? { ...payload, p: "abcdefghij" } : payload;
  return eventMessage(
    { ":event-type": type, ":content-type": "application/json", ":message-type": "event" },
    JSON.stringify(padded),
  );
}

/** A modeled exception in a stream. */
export function converseException(type: string, message: string, more: Readonly<Record<string, unknown>> = {}): Buffer {
  return eventMessage(
    { ":exception-type": type, ":content-type": "application/json", ":message-type": "exception" },
    JSON.stringify({ message, ...more }),
  );
}

/** A whole streamed answer, an element per message: what is text comes a word at a time, and a call's input in pieces of nine characters. */
export function converseEvents(content: readonly ConverseBlock[], shape: ConverseShape = {}): Buffer[] {
  const events = [converseEvent("messageStart", { role: "assistant" })];
  for (const [contentBlockIndex, block] of content.entries()) {
    const delta = (piece: unknown): void => {
      events.push(converseEvent("contentBlockDelta", { contentBlockIndex, delta: piece }));
    };
    if ("text" in block) {
      for (const text of words(block.text)) delta({ text });
    } else if ("toolUse" in block) {
      const { toolUseId, name, input } = block.toolUse;
      events.push(converseEvent("contentBlockStart", { contentBlockIndex, start: { toolUse: { toolUseId, name } } }));
      const written = JSON.stringify(input);
      // A call without arguments has no input in a stream at all.
      if (written !== "{}")
        for (const piece of written.match(/[\s\S]{1,9}/g) ?? []) delta({ toolUse: { input: piece } });
    } else if ("reasoningText" in block.reasoningContent) {
      const { text: thought, signature } = block.reasoningContent.reasoningText;
      for (const text of words(thought)) delta({ reasoningContent: { text } });
      if (signature !== undefined) delta({ reasoningContent: { signature } });
    } else {
      delta({ reasoningContent: { redactedContent: block.reasoningContent.redactedContent } });
    }
    events.push(converseEvent("contentBlockStop", { contentBlockIndex }));
  }
  const stopReason = stopReasonOf(content, shape);
  if (stopReason === null) return events;
  events.push(
    converseEvent("messageStop", {
      stopReason,
      ...(shape.fields === undefined ? {} : { additionalModelResponseFields: shape.fields }),
    }),
  );
  if (shape.metadata !== false) {
    events.push(
      converseEvent("metadata", {
        usage: usageObject(shape),
        metrics: { latencyMs: 321 },
        ...(shape.trace === undefined ? {} : { trace: shape.trace }),
      }),
    );
  }
  return events;
}

/** The same answer whole. */
export function converseAnswer(content: readonly ConverseBlock[], shape: ConverseShape = {}): Record<string, unknown> {
  return {
    output: { message: { role: "assistant", content } },
    stopReason: stopReasonOf(content, shape) ?? "end_turn",
    usage: usageObject(shape),
    metrics: { latencyMs: 321 },
    ...(shape.fields === undefined ? {} : { additionalModelResponseFields: shape.fields }),
    ...(shape.trace === undefined ? {} : { trace: shape.trace }),
  };
}

/** Begins a reply of ConverseStream. */
export function converseStream(reply: Reply): Reply {
  return reply.status(200).headers({ "content-type": "application/vnd.amazon.eventstream", "x-amzn-requestid": "r-1" });
}

/** Answers in the form that the path asks for. */
export function answersConverse(content: readonly ConverseBlock[] | string, shape: ConverseShape = {}): Script {
  const blocks = typeof content === "string" ? [{ text: content }] : content;
  return (reply, request) => {
    if (!asksForConverseStream(request)) return reply.json(200, converseAnswer(blocks, shape));
    converseStream(reply);
    for (const event of converseEvents(blocks, shape)) reply.chunk(event);
    return reply.end();
  };
}

export function asksForConverseStream({ path }: Pick<ReceivedRequest, "path">): boolean {
  return path.endsWith("/converse-stream");
}

/** Answers with an error as AWS sends one: its name in a header, its words in the body. */
export function answersAwsError(status: number, name: string, message: string): Script {
  return (reply) =>
    reply.json(
      status,
      { message },
      { "x-amzn-errortype": `${name}:http://internal.amazon.com/coral/com.amazon.bedrock/` },
    );
}

function stopReasonOf(content: readonly ConverseBlock[], { stopReason }: ConverseShape): string | null {
  if (stopReason !== undefined) return stopReason;
  return content.some((block) => "toolUse" in block) ? "tool_use" : "end_turn";
}

function usageObject({ usage: [input, output, read = 0, write = 0] = [5, 7] }: ConverseShape): Record<string, number> {
  return {
    inputTokens: input,
    outputTokens: output,
    totalTokens: input + output + read + write,
    ...(read + write === 0 ? {} : { cacheReadInputTokens: read, cacheWriteInputTokens: write }),
  };
}

function words(text: string): string[] {
  return text.match(/\s*\S+\s*?/g) ?? [];
}
