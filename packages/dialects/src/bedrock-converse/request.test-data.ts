import type { WriteTarget } from "../hub/codec.ts";
import type { HubMessage, HubPart, HubRequest, HubText, HubTool, HubToolCall, HubToolResult } from "../hub/request.ts";
import { bedrock } from "../providers/bedrock.ts";

export const sonnet45 = "anthropic.claude-sonnet-4-5-20250929-v1:0";

export function target(model = sonnet45, more: Partial<WriteTarget> = {}): WriteTarget {
  return {
    model,
    canonicalModel: "model-x",
    preset: bedrock,
    outputTokens: null,
    parameters: null,
    ...more,
  };
}

export function text(said: string, more: Partial<HubText> = {}): HubText {
  return { kind: "text", text: said, cache: null, ...more };
}

export function user(...parts: readonly (string | HubPart)[]): HubMessage {
  return { role: "user", parts: parts.map((part) => (typeof part === "string" ? text(part) : part)) };
}

export function assistant(...parts: readonly (string | HubPart)[]): HubMessage {
  return { ...user(...parts), role: "assistant" };
}

export function toolCall(id: string, name: string, args = "{}"): HubToolCall {
  return { kind: "tool_call", id, name, arguments: args, cache: null };
}

export function toolResult(callId: string, ...parts: readonly (string | HubPart)[]): HubToolResult {
  return { kind: "tool_result", callId, name: null, parts: user(...parts).parts, isError: false, cache: null };
}

export function tool(name: string, more: Partial<HubTool> = {}): HubTool {
  return {
    name,
    description: `does ${name}`,
    parameters: { type: "object", properties: { at: { type: "string" } } },
    strict: null,
    cache: null,
    ...more,
  };
}

export function request(more: Partial<HubRequest> = {}): HubRequest {
  return {
    system: [],
    messages: [user("Hello.")],
    tools: [],
    toolChoice: null,
    parallelToolCalls: null,
    maxTokens: null,
    temperature: null,
    topP: null,
    topK: null,
    stop: [],
    seed: null,
    presencePenalty: null,
    frequencyPenalty: null,
    format: null,
    reasoning: null,
    user: null,
    stream: false,
    left: [],
    ...more,
  };
}
