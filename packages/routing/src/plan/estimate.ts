import type { Deployment, Price } from "@tuloy/contract";

/** USD for so many tokens at a price. Given by whoever knows how prices are applied. */
export type EstimateUsd = (price: Price, inputTokens: number, outputTokens: number) => number;

/** What a request's price depends on, besides the deployment. */
export interface RequestSize {
  readonly inputTokens: number;
  /** What the client limits the answer to; null when it set no limit, 0 where nothing is generated. */
  readonly maxOutputTokens: number | null;
}

/** Longer answers are rare, and a client that names no limit does not mean the model's own. */
const longestExpectedAnswer = 4096;

/** The tokens of an answer that a price is estimated for: min(requested, the model's limit, 4096). */
function expectedOutputTokens({ maxOutputTokens }: RequestSize, deployment: Deployment): number {
  return Math.min(maxOutputTokens ?? Infinity, deployment.outputTokens ?? Infinity, longestExpectedAnswer);
}

/** The estimated price of a request at a deployment, in USD; null when its price is unknown. */
export function estimatedUsd(deployment: Deployment, size: RequestSize, estimate: EstimateUsd): number | null {
  const { price } = deployment;
  return price === null ? null : estimate(price, size.inputTokens, expectedOutputTokens(size, deployment));
}
