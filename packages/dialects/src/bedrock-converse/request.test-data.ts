import type { WriteTarget } from "../hub/codec.ts";
import { hubRequest } from "../hub/hub.test-data.ts";
import type {
  HubMessage,
  HubPart,
  HubReasoning,
  HubRequest,
  HubText,
  HubTool,
  HubToolCall,
  HubToolResult,
} from "../hub/request.ts";
import { bedrock } from "../providers/bedrock.ts";
import { bedrockConverse } from "./codec.ts";

export const sonnet45 = "anthropic.claude-sonnet-4-5-20250929-v1:0";
export const nova = "us.amazon.nova-pro-v1:0";
export const nova2 = "us.amazon.nova-2-lite-v1:0";
export const opus47 = "anthropic.claude-opus-4-7";
export const sonnet4 = "anthropic.claude-sonnet-4-20250514-v1:0";
export const gptOss = "openai.gpt-oss-120b-1:0";
export const llama = "meta.llama3-3-70b-instruct-v1:0";
export const profile = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/abc";

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
  return hubRequest({ messages: [user("Hello.")], ...more });
}

/** Of a tool's arguments, or of an answer. */
export const schema = { type: "object", properties: { city: { type: "string", minLength: 2 } }, required: ["city"] };
/** An answer in JSON of this schema, as it is asked for. */
export const jsonSchema = { kind: "json_schema" as const, name: "place", description: null, schema, strict: true };

export const thinking = (more: Partial<HubReasoning> = {}): HubReasoning => ({
  enabled: true,
  effort: null,
  budget: null,
  shown: null,
  ...more,
});

/** What is written of a request for a model. */
export function written(
  more: Partial<HubRequest> = {},
  model?: string,
): { body: Record<string, unknown>; notes: readonly string[] } {
  const { body, notes } = bedrockConverse.write(request(more), target(model));
  return { body: JSON.parse(body.toString()) as Record<string, unknown>, notes };
}
