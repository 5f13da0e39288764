import type { ClientError } from "@tuloy/contract";

import type { Answer, ClientDialect } from "../client-dialect.ts";
import { garbled, readAnswerObject } from "../failure/answer-object.ts";
import { count } from "../json/value.ts";
import type { ProviderPreset } from "../providers/preset.ts";
import { isReadRequest, type ReadRequest } from "../request.ts";
import { anthropicMessages } from "./dialect.ts";
import { readMessagesRequest } from "./request.ts";

/** A body of `POST /messages/count_tokens`: a conversation without what would be said to it. */
function readCountRequest(body: Buffer, findStored?: boolean): ReadRequest | ClientError {
  const read = readMessagesRequest(body, findStored);
  if (!isReadRequest(read)) return read;
  return {
    operation: read.operation,
    dialect: read.dialect,
    model: read.model,
    facts: { ...read.facts, stream: false, maxOutputTokens: 0 },
    ...(read.withheld === undefined ? {} : { withheld: read.withheld }),
    counts: true,
    encode: (upstreamModel, preset, target) => read.encode(upstreamModel, preset, target),
    notes: (target) => read.notes(target),
  };
}

/** Nothing was generated and nothing is charged, so its usage is none. */
function readCount(body: Buffer, preset: Pick<ProviderPreset, "markers">): Answer {
  const read = readAnswerObject(body, preset);
  if (!read.ok) return read;
  const tokens = count(read.answer.input_tokens);
  if (tokens === null) return garbled("the answer is no count: it has no input_tokens");
  return {
    ok: true,
    usage: { input_tokens: 0, cached_input_tokens: 0, output_tokens: 0, reasoning_tokens: 0, source: "provider" },
    textLength: 0,
    empty: false,
    notes: [`the prompt was counted, ${tokens} tokens; nothing was generated`],
  };
}

/** A count in the form of its answer. */
export function writeTokenCount(tokens: number): Buffer {
  return Buffer.from(JSON.stringify({ input_tokens: tokens }));
}

/** `POST /messages/count_tokens`. */
export const anthropicTokenCount: ClientDialect = {
  ...anthropicMessages,
  read: readCountRequest,
  readAnswer: readCount,
};
