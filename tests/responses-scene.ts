import { answersMessage, answersResponse, chatChunk, sse } from "@tuloy/testkit";
import type { MessageBlock, ResponseItem, ResponseShape, Script } from "@tuloy/testkit";
import OpenAI from "openai";
import type { Response, ResponseStreamEvent } from "openai/resources/responses/responses";

import { model } from "./harness.ts";
import type { TestProvider } from "./harness.ts";

/** A deployment that is asked in the Responses API only. */
export const speaksResponses = {
  kind: "openai",
  model: "dialect: openai-responses",
} satisfies Omit<TestProvider, "url">;

/** The same answer from a deployment of each of OpenAI's two dialects. */
export function answersAs(dialect: Spoken, items: readonly ResponseItem[], shape: ResponseShape = {}): Script {
  if (dialect === "openai-responses") return answersResponse(items, shape);
  return dialect === "openai-chat" ? answersInChat(items, shape) : answersInMessages(items, shape);
}

/** What the deployment of a test is asked in. */
export type Spoken = "openai-responses" | "openai-chat" | "anthropic-messages";

/** What makes a provider one that speaks it. */
export const speakers: Readonly<Record<Spoken, Omit<TestProvider, "url">>> = {
  "openai-responses": speaksResponses,
  "openai-chat": {},
  "anthropic-messages": { kind: "anthropic-compatible" },
};

function answersInChat(items: readonly ResponseItem[], shape: ResponseShape): Script {
  return (reply, request) => {
    const { stream } = request.json() as { readonly stream?: boolean };
    const [input, output] = shape.usage ?? [5, 7];
    const usage = {
      prompt_tokens: input,
      completion_tokens: output,
      total_tokens: input + output,
      prompt_tokens_details: { cached_tokens: 2 },
      completion_tokens_details: { reasoning_tokens: 3 },
    };
    const calls = items.filter((item) => "call" in item);
    const finish = finishOf(shape, calls.length);
    if (stream !== true) {
      const message = Object.assign(
        { role: "assistant", content: null },
        ...items.map((item) => inMessage(item, calls)),
      ) as unknown;
      const choices = [{ index: 0, message, finish_reason: finish }];
      return reply.json(200, { ...chatChunk({ delta: {} }), object: "chat.completion", choices, usage });
    }
    reply.eventStream().chunk(sse(chatChunk({ delta: { role: "assistant", content: "" } })));
    for (const delta of items.flatMap((item) => deltasOf(item, calls))) reply.chunk(sse(chatChunk({ delta })));
    reply.chunk(sse(chatChunk({ delta: {}, finish_reason: finish })));
    reply.chunk(sse({ ...chatChunk({ delta: {} }), choices: [], usage }));
    return reply.chunk(sse("[DONE]")).end();
  };
}

function answersInMessages(items: readonly ResponseItem[], { usage = [5, 7], incomplete }: ResponseShape): Script {
  const [input, output] = usage;
  const stops = { max_output_tokens: "max_tokens", content_filter: "refusal" } as const;
  return answersMessage(items.map(blockOf), {
    usage: { input: input - 2, read: 2, output, thinking: 3 },
    ...(incomplete === undefined ? {} : { stopReason: stops[incomplete] }),
  });
}

function blockOf(item: ResponseItem): MessageBlock {
  if ("call" in item) {
    return { type: "tool_use", id: item.callId, name: item.call, input: JSON.parse(item.arguments) as unknown };
  }
  if ("reasoning" in item) return { type: "thinking", thinking: item.reasoning, signature: "c2lnbmVk" };
  return { type: "text", text: "text" in item ? item.text : item.refusal };
}

function finishOf({ incomplete }: ResponseShape, calls: number): string {
  if (incomplete === "content_filter") return "content_filter";
  if (incomplete === "max_output_tokens") return "length";
  return calls > 0 ? "tool_calls" : "stop";
}

function inMessage(item: ResponseItem, calls: readonly ResponseItem[]): Record<string, unknown> {
  if ("text" in item) return { content: item.text };
  if ("refusal" in item) return { refusal: item.refusal };
  if ("reasoning" in item) return { reasoning_content: item.reasoning };
  return { tool_calls: calls.flatMap((call) => ("call" in call ? [callObject(call)] : [])) };
}

function callObject({ call: name, callId: id, arguments: json }: Extract<ResponseItem, { call: string }>): unknown {
  return { id, type: "function", function: { name, arguments: json } };
}

function deltasOf(item: ResponseItem, calls: readonly ResponseItem[]): Record<string, unknown>[] {
  const words = (text: string): readonly string[] => text.match(/\s*\S+\s*?/g) ?? [];
  if ("text" in item) return words(item.text).map((content) => ({ content }));
  if ("refusal" in item) return words(item.refusal).map((refusal) => ({ refusal }));
  if ("reasoning" in item) return words(item.reasoning).map((said) => ({ reasoning_content: said }));
  const index = calls.indexOf(item);
  const { call: name, callId: id } = item;
  return [
    { tool_calls: [{ index, id, type: "function", function: { name, arguments: "" } }] },
    ...words(item.arguments).map((json) => ({ tool_calls: [{ index, function: { arguments: json } }] })),
  ];
}

/** A client of a mock itself, without a gateway. */
export function directClient(url: string): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: "sk-a-secret-key", maxRetries: 0 });
}

export const question = { model, input: "Say something." } satisfies OpenAI.Responses.ResponseCreateParamsNonStreaming;

/** Everything that an answer says, without the ids that its provider makes up. */
export function gist(response: Response): Record<string, unknown> {
  const { status, output, output_text, incomplete_details, usage, error, metadata, instructions } = response;
  return {
    status,
    output_text,
    incomplete_details,
    error,
    metadata,
    instructions,
    output: output.map(gistOf),
    tokens: usage && {
      input: usage.input_tokens,
      cached: usage.input_tokens_details.cached_tokens,
      output: usage.output_tokens,
      reasoning: usage.output_tokens_details.reasoning_tokens,
      total: usage.total_tokens,
    },
  };
}

function gistOf(item: Response["output"][number]): unknown {
  if (item.type === "message") {
    return item.content.map((part) => (part.type === "output_text" ? { text: part.text } : { refusal: part.refusal }));
  }
  // Dialects that have arguments as JSON values do not keep their white space.
  const parsed = (json: string): unknown => JSON.parse(json);
  if (item.type === "function_call")
    return { call: item.name, callId: item.call_id, arguments: parsed(item.arguments) };
  return item.type === "reasoning" ? { reasoning: item.summary.map(({ text }) => text) } : item;
}

/** A stream as the official SDK gave it to its caller, to its end or its error. */
export async function hearResponse(
  client: OpenAI,
  body: Partial<OpenAI.Responses.ResponseCreateParamsNonStreaming> = {},
): Promise<{
  readonly final: Response | null;
  readonly events: readonly ResponseStreamEvent[];
  readonly error: unknown;
}> {
  const events: ResponseStreamEvent[] = [];
  try {
    const { stream: _never, ...asks } = { ...question, ...body };
    const stream = client.responses.stream(asks);
    for await (const event of stream) events.push(event);
    return { final: await stream.finalResponse(), events, error: null };
  } catch (error) {
    return { final: null, events, error };
  }
}
