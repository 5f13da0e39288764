import { builtInCatalog, costUsd } from "@tuloy/catalog";
import type { AttemptRecord, Deployment, Usage } from "@tuloy/contract";
import type { PromptSize } from "@tuloy/dialects";
import { plannedOf, type Plan } from "@tuloy/routing";

import type { TokenCounter } from "../tokens/token-counter.ts";
import type { Conclusion } from "./conclude.ts";
import { charactersPerToken } from "./estimate.ts";
import type { Asked } from "./read.ts";

/** A request that is near a window is long, so its first token takes seconds anyway. Milliseconds. */
const beforeTheAnswerMs = 1000;
/** Nobody waits for a trace. Milliseconds. */
const afterTheAnswerMs = 10_000;

/** The estimate is half of the truth for dense code and scripts like Chinese, and twice the truth for runs of white space. */
const farthest = 2;

/**
 * Counts the prompt where an estimate could be wrong about whether it fits: near the window of a deployment. Null, at once, in all
 * other cases: then the estimate decides as well as a count would.
 */
export function countForContext(asked: Asked, tokens: TokenCounter): Promise<PromptSize | null> | null {
  const { facts } = asked.request;
  const needed = facts.contextTokens + (facts.maxOutputTokens ?? 0);
  let near = nearWindow(asked.entry.deployments, needed);
  for (const { entry } of asked.standIns) near ||= nearWindow(entry.deployments, needed);
  if (!near) return null;
  return countWithin(beforeTheAnswerMs, asked, tokens);
}

function nearWindow(deployments: readonly Deployment[], needed: number): boolean {
  for (const { contextTokens } of deployments) {
    if (contextTokens !== null && needed > contextTokens / farthest && needed < contextTokens * farthest) return true;
  }
  return false;
}

/**
 * A conclusion whose estimates are as good as they get: the input counted, and the output judged by the input's characters a token.
 * The conclusion itself, at once, where every provider told its usage.
 */
export async function countEstimates(
  conclusion: Conclusion,
  asked: Asked,
  plan: Plan,
  tokens: TokenCounter,
): Promise<Conclusion> {
  const size = await countWithin(afterTheAnswerMs, asked, tokens);
  if (size === null) return conclusion;
  const { answered } = conclusion;
  const attempts = conclusion.attempts.map((record) => recounted(record, size, plan));
  return {
    ...conclusion,
    attempts,
    answered: answered === null ? null : (attempts[conclusion.attempts.indexOf(answered)] ?? answered),
  };
}

export function hasEstimates({ attempts }: Conclusion): boolean {
  return attempts.some(({ usage }) => usage?.source === "estimate");
}

function recounted(record: AttemptRecord, size: PromptSize, plan: Plan): AttemptRecord {
  if (record.usage?.source !== "estimate") return record;
  const usage = recountedUsage(record.usage, size);
  const price = plannedOf(plan).find(({ id }) => id === record.deployment)?.price ?? null;
  return { ...record, usage, cost_usd: price === null ? null : costUsd(price, usage) };
}

function recountedUsage(usage: Usage, { inputTokens, characters, textTokens }: PromptSize): Usage {
  const perToken = textTokens === 0 ? charactersPerToken : characters / textTokens;
  return {
    ...usage,
    input_tokens: inputTokens,
    output_tokens: Math.ceil((usage.output_tokens * charactersPerToken) / perToken),
  };
}

function countWithin(ms: number, { request, entry }: Asked, tokens: TokenCounter): Promise<PromptSize | null> | null {
  const tokenizer = builtInCatalog.model(entry.model)?.tokenizer ?? null;
  if (tokenizer === null) return null;
  const body = request.encode(request.model, { streamUsage: false });
  return tokens.count({ tokenizer, dialect: request.dialect, body }, ms);
}
