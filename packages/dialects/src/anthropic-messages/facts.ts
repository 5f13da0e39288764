import type { Capability } from "@tuloy/contract";

import { count, isObject, text, type JsonObject } from "../json/value.ts";
import { tokensPerImage } from "../openai-chat/media.ts";
import { isForeign } from "./opaque.ts";

/** English text and JSON have about four bytes a token. */
const bytesPerToken = 4;
/** A page of a PDF has 1,500 to 3,000 tokens (https://platform.claude.com/docs/en/build-with-claude/pdf-support) and some 75 KB. */
const base64PerTokenOfFiles = 25;
/** Beyond such a budget the first token takes long. */
const largeBudget = 12_288;

/** What a look through a conversation finds. */
export interface Contents {
  images: number;
  files: number;
  /** Tokens of all files, estimated. */
  fileTokens: number;
  /** Bytes of embedded media, as they stand in the body: they say nothing about tokens. */
  bytes: number;
  /** There are thoughts that Anthropic did not sign. */
  foreign: boolean;
}

export function lookThrough(messages: readonly unknown[]): Contents {
  const contents: Contents = { images: 0, files: 0, fileTokens: 0, bytes: 0, foreign: false };
  for (const message of messages) if (isObject(message)) lookAt(message.content, contents);
  return contents;
}

function lookAt(content: unknown, contents: Contents): void {
  if (!Array.isArray(content)) return;
  for (const block of content) {
    if (!isObject(block)) continue;
    switch (block.type) {
      case "image":
        contents.images++;
        contents.bytes += inline(block.source);
        break;
      case "document": {
        contents.files++;
        const length = inline(block.source);
        contents.bytes += length;
        contents.fileTokens += Math.ceil(length / base64PerTokenOfFiles);
        break;
      }
      case "tool_result":
        lookAt(block.content, contents);
        break;
      case "thinking":
      case "redacted_thinking":
        contents.foreign ||= isForeignBlock(block);
        break;
      default:
    }
  }
}

/** A thought, or what stands in for one, that Anthropic did not sign and would refuse. */
export function isForeignBlock({ type, signature, data }: JsonObject): boolean {
  if (type === "thinking") return typeof signature !== "string" || isForeign(signature);
  return type === "redacted_thinking" && typeof data === "string" && isForeign(data);
}

/** Length of bytes in base64; plain text counts as the text it is. */
function inline(source: unknown): number {
  return isObject(source) && source.type === "base64" ? (text(source.data)?.length ?? 0) : 0;
}

export function inputTokens(bodyLength: number, { images, fileTokens, bytes }: Contents): number {
  return Math.ceil(Math.max(0, bodyLength - bytes) / bytesPerToken) + images * tokensPerImage + fileTokens;
}

export function usedCapabilities(fields: JsonObject, { images, files }: Contents): readonly Capability[] {
  const used: Capability[] = [];
  const { tools, output_config: config, output_format: format } = fields;
  if (Array.isArray(tools) && tools.length > 0) used.push("tools");
  if (images > 0) used.push("images");
  if (files > 0) used.push("files");
  if ((isObject(config) && isObject(config.format)) || isObject(format)) used.push("json_schema");
  return used;
}

/** The first token will take long. High is the effort of whoever states none, but only thinking makes it felt. */
export function isHighEffort({ thinking, output_config: config }: JsonObject): boolean {
  const effort = isObject(config) ? config.effort : null;
  if (effort === "high" || effort === "xhigh" || effort === "max") return true;
  if (!isObject(thinking)) return false;
  if (thinking.type === "enabled") return (count(thinking.budget_tokens) ?? 0) > largeBudget;
  return thinking.type === "adaptive" && effort !== "low" && effort !== "medium";
}

/** Claude Code says in `metadata.user_id` which session it is, at the end of a text or as a member of JSON inside it. */
const sessionInUser = /_session_([\w-]{8,64})$|"session_id"\s*:\s*"([\w-]{8,64})"/;

/** The session that a user's id names, or null: a user has many sessions. */
export function sessionOf({ metadata }: JsonObject): string | null {
  const user = isObject(metadata) ? text(metadata.user_id) : null;
  if (user === null || user.length > 1000) return null;
  const found = sessionInUser.exec(user);
  return found?.[1] ?? found?.[2] ?? null;
}
