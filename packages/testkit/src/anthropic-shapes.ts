import { sse } from "./openai-shapes.ts";
import type { Script } from "./scripted-upstream.ts";

/** A block of a message, as Anthropic writes it. */
export type MessageBlock =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "thinking"; readonly thinking: string; readonly signature: string }
  | { readonly type: "redacted_thinking"; readonly data: string }
  | { readonly type: "tool_use"; readonly id: string; readonly name: string; readonly input: unknown };

export interface MessageShape {
  /** Default `msg_01`. */
  readonly id?: string;
  /** Default `model-x`. */
  readonly model?: string;
  /** Default `tool_use` after a call, else `end_turn`. Null leaves it out: a stream that breaks off. */
  readonly stopReason?: string | null;
  readonly stopSequence?: string | null;
  readonly stopDetails?: unknown;
  /** Default 5 and 7, and nothing cached. */
  readonly usage?: {
    readonly input: number;
    readonly output: number;
    readonly read?: number;
    readonly written?: number;
    /** Of these, for an hour. */
    readonly hour?: number;
    readonly thinking?: number;
  };
  /** False leaves out `message_stop`. */
  readonly done?: boolean;
}

function stopReasonOf(blocks: readonly MessageBlock[], { stopReason }: MessageShape): string | null {
  if (stopReason !== undefined) return stopReason;
  return blocks.some(({ type }) => type === "tool_use") ? "tool_use" : "end_turn";
}

function usageObject({ usage = { input: 5, output: 7 } }: MessageShape, output: number = usage.output): object {
  const { input, read = 0, written = 0, hour = 0, thinking } = usage;
  return {
    input_tokens: input,
    cache_creation_input_tokens: written,
    cache_read_input_tokens: read,
    cache_creation: { ephemeral_5m_input_tokens: written - hour, ephemeral_1h_input_tokens: hour },
    output_tokens: output,
    ...(thinking === undefined ? {} : { output_tokens_details: { thinking_tokens: thinking } }),
    service_tier: "standard",
  };
}

/** A whole `message` object. */
export function message(blocks: readonly MessageBlock[], shape: MessageShape = {}): Record<string, unknown> {
  return {
    id: shape.id ?? "msg_01",
    type: "message",
    role: "assistant",
    model: shape.model ?? "model-x",
    content: blocks,
    stop_reason: stopReasonOf(blocks, shape),
    stop_sequence: shape.stopSequence ?? null,
    ...(shape.stopDetails === undefined ? {} : { stop_details: shape.stopDetails }),
    usage: usageObject(shape),
  };
}

function event(type: string, members: object): string {
  return sse({ type, ...members }, type);
}

/** A whole streamed message, an element per event: text, thoughts and inputs come in pieces of a word, with a ping among them. */
export function messageEvents(blocks: readonly MessageBlock[], shape: MessageShape = {}): string[] {
  const head = { ...message([], shape), stop_reason: null, stop_sequence: null, usage: usageObject(shape, 1) };
  const events = [event("message_start", { message: head }), event("ping", {})];
  for (const [index, block] of blocks.entries()) events.push(...blockEvents(index, block));
  const stopReason = stopReasonOf(blocks, shape);
  if (stopReason !== null) {
    const { usage = { input: 5, output: 7 }, stopSequence = null, stopDetails } = shape;
    const delta = { stop_reason: stopReason, stop_sequence: stopSequence };
    events.push(
      event("message_delta", {
        delta: stopDetails === undefined ? delta : { ...delta, stop_details: stopDetails },
        usage: {
          output_tokens: usage.output,
          ...(usage.thinking === undefined ? {} : { output_tokens_details: { thinking_tokens: usage.thinking } }),
        },
      }),
    );
  }
  if (shape.done !== false && stopReason !== null) events.push(event("message_stop", {}));
  return events;
}

function blockEvents(index: number, block: MessageBlock): string[] {
  const delta = (type: string, member: string, piece: string): string =>
    event("content_block_delta", { index, delta: { type, [member]: piece } });
  const start = (begun: object): string => event("content_block_start", { index, content_block: begun });
  const stop = event("content_block_stop", { index });
  switch (block.type) {
    case "text":
      return [
        start({ ...block, text: "" }),
        ...words(block.text).map((piece) => delta("text_delta", "text", piece)),
        stop,
      ];
    case "thinking":
      return [
        start({ ...block, thinking: "", signature: "" }),
        ...words(block.thinking).map((piece) => delta("thinking_delta", "thinking", piece)),
        ...(block.signature === "" ? [] : [delta("signature_delta", "signature", block.signature)]),
        stop,
      ];
    case "redacted_thinking":
      return [start(block), stop];
    case "tool_use":
      return [
        start({ ...block, input: {} }),
        delta("input_json_delta", "partial_json", ""),
        ...inputPieces(block.input).map((piece) => delta("input_json_delta", "partial_json", piece)),
        stop,
      ];
  }
}

function words(text: string): string[] {
  return text.match(/\s*\S+\s*?|\s+$/g) ?? [];
}

/** An input without members comes as nothing at all. */
function inputPieces(input: unknown): string[] {
  const json = JSON.stringify(input);
  return json === "{}" ? [] : (json.match(/.{1,7}/gsu) ?? []);
}

/** Anthropic's error body. */
export function anthropicError(type: string, words: string): Record<string, unknown> {
  return { type: "error", error: { type, message: words }, request_id: "req_01" };
}

/** Answers with a message in the form it asks for, stream or JSON. A text stands for one block of it. */
export function answersMessage(content: string | readonly MessageBlock[], shape: MessageShape = {}): Script {
  const blocks = typeof content === "string" ? [{ type: "text", text: content } as const] : content;
  return (reply, request) => {
    const body = request.json();
    if (typeof body !== "object" || body === null || !("stream" in body) || body.stream !== true) {
      return reply.json(200, message(blocks, shape));
    }
    reply.eventStream();
    for (const one of messageEvents(blocks, shape)) reply.chunk(one);
    return reply.end();
  };
}

/** Answers with an error in Anthropic's form. */
export function answersAnthropicError(
  status: number,
  type: string,
  words: string,
  headers: Readonly<Record<string, string>> = {},
): Script {
  return (reply) => reply.json(status, anthropicError(type, words), headers);
}
