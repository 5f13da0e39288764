import type { Script } from "./scripted-upstream.ts";

export interface ChatShape {
  /** Default `chatcmpl-1`. */
  readonly id?: string;
  /** Default `model-x`. */
  readonly model?: string;
  /** Prompt and completion tokens. Streams send usage only when it is given, as OpenAI does only when it is asked for. */
  readonly usage?: readonly [prompt: number, completion: number];
  /** Default `stop`. Null leaves it out: a stream that breaks off. */
  readonly finishReason?: string | null;
  /** False leaves out the closing `[DONE]`. */
  readonly done?: boolean;
}

/** One server-sent event: data lines, an `event:` line where there is a name, and the blank line. Objects become JSON. */
export function sse(data: unknown, event?: string): string {
  const text = typeof data === "string" ? data : JSON.stringify(data);
  const lines = text.split("\n").map((line) => `data: ${line}\n`);
  return `${event === undefined ? "" : `event: ${event}\n`}${lines.join("")}\n`;
}

/**
 * A whole streamed chat completion, an element per event: the role, one content delta for each piece, the finish reason,
 * the usage, `[DONE]`.
 */
export function chatChunks(pieces: readonly string[], shape: ChatShape = {}): string[] {
  const events = [sse(chatChunk({ delta: { role: "assistant", content: "" } }, shape))];
  for (const content of pieces) events.push(sse(chatChunk({ delta: { content } }, shape)));
  const finishReason = shape.finishReason === undefined ? "stop" : shape.finishReason;
  if (finishReason !== null) events.push(sse(chatChunk({ delta: {}, finish_reason: finishReason }, shape)));
  if (shape.usage !== undefined) {
    events.push(sse({ ...chatChunk({ delta: {} }, shape), choices: [], usage: usageObject(shape.usage) }));
  }
  if (shape.done !== false) events.push(sse("[DONE]"));
  return events;
}

/** One `chat.completion.chunk` object with one choice. */
export function chatChunk(
  choice: { readonly delta: unknown; readonly finish_reason?: string },
  shape: ChatShape = {},
): Record<string, unknown> {
  return {
    id: shape.id ?? "chatcmpl-1",
    object: "chat.completion.chunk",
    created: 1_700_000_000,
    model: shape.model ?? "model-x",
    choices: [{ index: 0, finish_reason: null, ...choice }],
  };
}

/** A whole `chat.completion` object. */
export function chatAnswer(text: string, shape: ChatShape = {}): Record<string, unknown> {
  return {
    id: shape.id ?? "chatcmpl-1",
    object: "chat.completion",
    created: 1_700_000_000,
    model: shape.model ?? "model-x",
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: text },
        finish_reason: shape.finishReason === undefined ? "stop" : shape.finishReason,
      },
    ],
    usage: usageObject(shape.usage ?? [5, 7]),
  };
}

/** OpenAI's error body; the `type` follows from the status unless it is given. */
export function openaiError(
  status: number,
  code: string | number | null,
  message: string,
  type: string = errorType(status),
): { readonly error: Record<string, unknown> } {
  return { error: { message, type, param: null, code } };
}

/** Answers a chat request in the form it asks for, stream or JSON, with usage in both. The stream has a piece per word. */
export function answersChat(text: string, shape: ChatShape = {}): Script {
  return (reply, request) => {
    const usage = shape.usage ?? [5, 7];
    if (!asksForStream(request.json())) return reply.json(200, chatAnswer(text, { ...shape, usage }));
    reply.eventStream();
    for (const event of chatChunks(text.match(/\s*\S+\s*?/g) ?? [], { ...shape, usage })) reply.chunk(event);
    return reply.end();
  };
}

/** Answers with an error in OpenAI's form. */
export function answersError(
  status: number,
  code: string | number | null,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Script {
  return (reply) => reply.json(status, openaiError(status, code, message), headers);
}

function asksForStream(body: unknown): boolean {
  return typeof body === "object" && body !== null && "stream" in body && body.stream === true;
}

function usageObject([prompt, completion]: readonly [number, number]): Record<string, number> {
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
}

function errorType(status: number): string {
  if (status >= 500) return "server_error";
  if (status === 429) return "rate_limit_error";
  if (status === 401) return "authentication_error";
  return status === 403 ? "permission_error" : "invalid_request_error";
}
