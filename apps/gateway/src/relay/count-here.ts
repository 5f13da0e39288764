import { builtInCatalog } from "@tuloy/catalog";
import { writeTokenCount } from "@tuloy/dialects";

import type { ClientReply } from "../http/client-reply.ts";
import type { TokenCounter } from "../tokens/token-counter.ts";
import { traceHeaders } from "./headers.ts";
import type { Asked } from "./read.ts";

/** The first count of a tokenizer has to load it, and nobody asks for a count who could do with a guess. Milliseconds. */
const waitMs = 10_000;

/**
 * Counts a prompt where no provider does it: by the model's own tokenizer, or as routing estimates it.
 * @returns what was done, in words for the trace
 */
export async function countHere(
  { request, entry }: Asked,
  reply: ClientReply,
  traceId: string,
  counter: TokenCounter,
): Promise<string> {
  const tokenizer = builtInCatalog.model(entry.model)?.tokenizer ?? null;
  const body = request.encode(request.model, { streamUsage: false });
  const size = tokenizer === null ? null : await counter.count({ tokenizer, dialect: request.dialect, body }, waitMs);
  const tokens = size?.inputTokens ?? request.facts.inputTokens;
  const headers = traceHeaders(traceId);
  headers["content-type"] = "application/json";
  headers["x-tuloy-token-count"] = size === null ? "estimated" : "counted";
  reply.answer(200, headers, writeTokenCount(tokens));
  const how = size === null ? "estimated from its length" : "counted with its model's tokenizer";
  return `no provider of this model counts tokens: the prompt was ${how}, ${tokens} tokens`;
}
