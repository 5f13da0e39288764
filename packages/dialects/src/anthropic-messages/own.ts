import type { ClientError } from "@tuloy/contract";

import { invalidField } from "../json/invalid-field.ts";
import { calledBy, isObject, type JsonObject } from "../json/value.ts";

/** Members under which Anthropic keeps or does something of its own. */
const ownMembers = ["container", "mcp_servers"] as const;

/** Blocks that every dialect has words for. All others tell of tools that Anthropic ran itself. */
const commonBlocks: ReadonlySet<unknown> = new Set([
  "text",
  "image",
  "document",
  "search_result",
  "tool_use",
  "tool_result",
  "thinking",
  "redacted_thinking",
]);

/** A tool that the client runs and describes itself. All others are defined, or also run, by Anthropic. */
export function isCustomTool({ type }: JsonObject): boolean {
  return type === undefined || type === null || type === "custom";
}

/** What of a request only deployments that speak Anthropic's dialect can do, as an error that names it; null: nothing. */
export function anthropicsOwn(fields: JsonObject): ClientError | null {
  for (const member of ownMembers) {
    if (fields[member] !== undefined && fields[member] !== null) return own(member, `"${member}" exists only there`);
  }
  const { tools, messages } = fields;
  for (const [index, tool] of (Array.isArray(tools) ? tools : []).entries()) {
    if (isObject(tool) && !isCustomTool(tool)) {
      return own(`tools[${index}]`, `the tool ${calledBy(tool.type)} exists only there`);
    }
  }
  for (const [index, message] of (Array.isArray(messages) ? messages : []).entries()) {
    const type = isObject(message) ? ownBlock(message.content) : null;
    if (type !== null) return own(`messages[${index}]`, `a block of type ${type} is understood only there`);
  }
  return null;
}

/** The type of the first block that only Anthropic understands, or null. */
function ownBlock(content: unknown): string | null {
  if (!Array.isArray(content)) return null;
  const found: unknown = content.find((block) => isObject(block) && !commonBlocks.has(block.type));
  return isObject(found) ? calledBy(found.type) : null;
}

function own(param: string, why: string): ClientError {
  return invalidField(param, `It can only go to deployments that speak anthropic-messages: ${why}.`);
}
