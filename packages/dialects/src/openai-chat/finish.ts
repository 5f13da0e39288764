import type { HubFinish } from "../hub/answer.ts";

/**
 * `finish_reason`, as OpenAI and the servers that speak its dialect write it. What is not here is a `stop` by another name.
 */
const finishes: ReadonlyMap<string, HubFinish> = new Map<string, HubFinish>([
  ["stop", "stop"],
  ["length", "length"],
  // Mistral: the model's own window is full. https://docs.mistral.ai/api
  ["model_length", "length"],
  ["max_tokens", "length"],
  ["tool_calls", "tool_calls"],
  ["function_call", "tool_calls"],
  ["content_filter", "content_filter"],
]);

/** Why an answer ended, by its `finish_reason` and by what it holds. */
export function hubFinish(reason: string, calls: number, refused: boolean): HubFinish {
  const finish = finishes.get(reason) ?? "stop";
  if (finish !== "stop") return finish;
  // OpenAI ends with `stop` where a tool was forced, and where the model refused; other dialects have words of their own.
  return calls > 0 ? "tool_calls" : refused ? "refusal" : "stop";
}

/** The answer ended because the provider failed. */
export const failedFinishes: ReadonlyMap<string, "server_error" | "overloaded"> = new Map([
  // OpenRouter, when the provider behind it failed.
  ["error", "server_error"],
  // DeepSeek: "the request is interrupted due to insufficient resource". https://api-docs.deepseek.com/api/create-chat-completion
  ["insufficient_system_resource", "overloaded"],
] as const);

/** OpenAI's word for an end. */
export function chatFinish(finish: HubFinish, refused: boolean): string {
  // With the model's own words of refusal OpenAI says `stop`; without them it was cut, which clients know as a filter's work.
  if (finish === "refusal") return refused ? "stop" : "content_filter";
  return finish === "pause" ? "stop" : finish;
}
