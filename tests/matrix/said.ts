import {
  answersConverse,
  answersMessage,
  answersResponse,
  chatChunk,
  converseEvents,
  geminiBlocked,
  geminiEvents,
  geminiUsage,
  messageEvents,
  responseEvents,
  sse,
} from "@tuloy/testkit";
import type {
  ConverseBlock,
  ConverseShape,
  GeminiShape,
  MessageBlock,
  MessageShape,
  ResponseItem,
  ResponseShape,
  Script,
} from "@tuloy/testkit";

import { answersGemini } from "../gemini-scene.ts";

/** The dialects in which deployments are asked. */
export const spoken = ["openai-chat", "openai-responses", "anthropic-messages", "gemini", "bedrock-converse"] as const;

export type Spoken = (typeof spoken)[number];

/** Those of the models here that are Claude's. */
export const claudes: ReadonlySet<Spoken> = new Set(["anthropic-messages", "bedrock-converse"]);

interface Called {
  readonly id: string;
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** What a model says, in no dialect's words. */
export interface Said {
  /** Empty: one that shows nothing, which only some seal all the same. */
  readonly thought?: string;
  readonly text?: string;
  /** Words of refusal, which only OpenAI's dialects keep apart from text. */
  readonly refusal?: string;
  readonly calls?: readonly Called[];
  /** What cut it: its limit of tokens, or a filter. Default: nothing. */
  readonly cut?: "length" | "filter";
  /** Of the input, what was written to a cache: Anthropic's and Bedrock's count that apart. */
  readonly written?: number;
}

/** The counts of every answer: all input, of it what the cache held, all output, of it what was thought. */
const counts = { input: 20, cached: 8, output: 9, thought: 3 } as const;

/** What a provider of a dialect wants back of its own thoughts, so that it can be told whose it is. */
export const sealOf = (dialect: Spoken): string => Buffer.from(`sealed by ${dialect}`).toString("base64");

/** The same answer in each dialect, whole or as a stream, as it is asked for. */
export const says: Readonly<Record<Spoken, (said: Said) => Script>> = {
  "openai-chat": saysInChat,
  "openai-responses": (said) => answersResponse(...responseOf(said)),
  "anthropic-messages": (said) => answersMessage(...messageOf(said)),
  gemini: saysInGemini,
  "bedrock-converse": (said) => answersConverse(...converseOf(said)),
};

/** All that is said of it in a stream. */
export const streamed: Readonly<Record<Spoken, (said: Said) => readonly (string | Buffer)[]>> = {
  "openai-chat": streamedInChat,
  "openai-responses": (said) => responseEvents(...responseOf(said)),
  "anthropic-messages": (said) => messageEvents(...messageOf(said)),
  gemini: (said) => geminiEvents(...geminiOf(said)),
  "bedrock-converse": (said) => converseEvents(...converseOf(said)),
};

const chatEnds = { length: "length", filter: "content_filter" } as const;

function chatFinish({ calls = [], cut }: Said): string {
  return cut === undefined ? (calls.length > 0 ? "tool_calls" : "stop") : chatEnds[cut];
}

function chatUsage({ written }: Said): unknown {
  return {
    prompt_tokens: counts.input,
    completion_tokens: counts.output,
    total_tokens: counts.input + counts.output,
    prompt_tokens_details: {
      cached_tokens: counts.cached,
      ...(written === undefined ? {} : { cache_write_tokens: written }),
    },
    completion_tokens_details: { reasoning_tokens: counts.thought },
  };
}

function chatCalls({ calls = [] }: Said) {
  return calls.map(({ id, name, input }) => ({
    id,
    type: "function",
    function: { name, arguments: JSON.stringify(input) },
  }));
}

function saysInChat(said: Said): Script {
  const { thought, text, refusal } = said;
  const toolCalls = chatCalls(said);
  const message = {
    role: "assistant",
    content: text ?? null,
    refusal: refusal ?? null,
    ...(thought === undefined ? {} : { reasoning_content: thought }),
    ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls }),
  };
  const choices = [{ index: 0, message, logprobs: null, finish_reason: chatFinish(said) }];
  const whole = { ...chatChunk({ delta: {} }), object: "chat.completion", choices, usage: chatUsage(said) };
  return (reply, request) =>
    (request.json() as { readonly stream?: boolean }).stream === true
      ? streamedInChat(said)
          .reduce((told, event) => told.chunk(event), reply.eventStream())
          .end()
      : reply.json(200, whole);
}

function streamedInChat(said: Said): readonly string[] {
  const deltas: unknown[] = [
    { role: "assistant", content: "" },
    ...pieces(said.thought).map((piece) => ({ reasoning_content: piece })),
    ...pieces(said.text).map((content) => ({ content })),
    ...pieces(said.refusal).map((piece) => ({ refusal: piece })),
  ];
  for (const [index, { function: called, ...head }] of chatCalls(said).entries()) {
    deltas.push({ tool_calls: [{ index, ...head, function: { name: called.name, arguments: "" } }] });
    for (const piece of called.arguments.match(/.{1,6}/gsu) ?? [])
      deltas.push({ tool_calls: [{ index, function: { arguments: piece } }] });
  }
  return [
    ...deltas.map((delta) => sse(chatChunk({ delta }))),
    sse(chatChunk({ delta: {}, finish_reason: chatFinish(said) })),
    sse({ ...chatChunk({ delta: {} }), choices: [], usage: chatUsage(said) }),
    sse("[DONE]"),
  ];
}

function responseOf({ thought, text, refusal, calls = [], cut, written = 0 }: Said): [ResponseItem[], ResponseShape] {
  const items: ResponseItem[] = [];
  if (thought !== undefined) items.push({ reasoning: thought, encrypted: sealOf("openai-responses") });
  if (text !== undefined) items.push({ text });
  if (refusal !== undefined) items.push({ refusal });
  for (const { id, name, input } of calls) items.push({ call: name, callId: id, arguments: JSON.stringify(input) });
  const reasons = { length: "max_output_tokens", filter: "content_filter" } as const;
  const shape: ResponseShape = {
    usage: [counts.input, counts.output],
    details: [counts.cached, counts.thought, written],
    ...(cut === undefined ? {} : { incomplete: reasons[cut] }),
  };
  return [items, shape];
}

function messageOf({ thought, text, refusal, calls = [], cut, written = 0 }: Said): [MessageBlock[], MessageShape] {
  const blocks: MessageBlock[] = [];
  const signature = sealOf("anthropic-messages");
  if (thought === "") blocks.push({ type: "redacted_thinking", data: signature });
  else if (thought !== undefined) blocks.push({ type: "thinking", thinking: thought, signature });
  if (text !== undefined) blocks.push({ type: "text", text });
  // A model of Anthropic's refuses in text, and says so in the reason for its end alone.
  if (refusal !== undefined) blocks.push({ type: "text", text: refusal });
  for (const call of calls) blocks.push({ type: "tool_use", ...call });
  const reasons = { length: "max_tokens", filter: "refusal" } as const;
  const end = cut ?? (refusal === undefined ? undefined : "filter");
  const shape: MessageShape = {
    usage: {
      input: counts.input - counts.cached - written,
      read: counts.cached,
      written,
      output: counts.output,
      thinking: counts.thought,
    },
    ...(end === undefined ? {} : { stopReason: reasons[end] }),
  };
  return [blocks, shape];
}

function saysInGemini(said: Said): Script {
  const { thought, text, calls = [], cut } = said;
  const [events, shape] = geminiOf(said);
  if (cut !== "filter" || (thought ?? text) !== undefined || calls.length > 0) return answersGemini(events, shape);
  // It declines before it has said anything by refusing the prompt.
  const blocked = geminiBlocked("SAFETY", shape.usage);
  return (reply, request) =>
    request.path.includes(":streamGenerateContent")
      ? reply.eventStream().chunk(sse(blocked)).end()
      : reply.json(200, blocked);
}

function geminiOf({ thought, text, calls = [], cut }: Said): [unknown[][], GeminiShape] {
  const reasons = { length: "MAX_TOKENS", filter: "SAFETY" } as const;
  const shape: GeminiShape = {
    usage: geminiUsage(counts.input, counts.output - counts.thought, counts.thought, counts.cached),
    ...(cut === undefined ? {} : { finishReason: reasons[cut] }),
  };
  const events: unknown[][] = [
    ...pieces(thought).map((piece) => [{ text: piece, thought: true }]),
    ...pieces(text).map((piece) => [{ text: piece }]),
  ];
  // The first of several calls is signed, and stands for all of them.
  const parts = calls.map(({ id, name, input }, at) => ({
    functionCall: { id, name, args: input },
    ...(at === 0 ? { thoughtSignature: sealOf("gemini") } : {}),
  }));
  if (parts.length > 0) events.push(parts);
  // An answer without calls is signed behind its text.
  else if (thought !== undefined) events.push([{ text: "", thoughtSignature: sealOf("gemini") }]);
  return [events, shape];
}

function converseOf({ thought, text, calls = [], cut, written = 0 }: Said): [ConverseBlock[], ConverseShape] {
  const blocks: ConverseBlock[] = [];
  const signature = sealOf("bedrock-converse");
  if (thought === "") blocks.push({ reasoningContent: { redactedContent: signature } });
  else if (thought !== undefined) blocks.push({ reasoningContent: { reasoningText: { text: thought, signature } } });
  if (text !== undefined) blocks.push({ text });
  for (const { id, name, input } of calls) blocks.push({ toolUse: { toolUseId: id, name, input } });
  const reasons = { length: "max_tokens", filter: "content_filtered" } as const;
  const shape: ConverseShape = {
    usage: [counts.input - counts.cached - written, counts.output, counts.cached, written],
    ...(cut === undefined ? {} : { stopReason: reasons[cut] }),
  };
  return [blocks, shape];
}

function pieces(text = ""): readonly string[] {
  return text.match(/\s*\S+\s*?/g) ?? [];
}
