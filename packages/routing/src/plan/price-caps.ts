import type { Deployment, Exclusion, MaxPrice } from "@tuloy/contract";

import { estimatedUsd } from "./estimate.ts";
import type { EstimateUsd, RequestSize } from "./estimate.ts";
import { excluded } from "./exclude.ts";
import type { PlanContext, PlanInput } from "./shapes.ts";

/** Absolute caps. A deployment whose price is unknown cannot be shown to keep one. */
function byMaxPrice(deployment: Deployment, cap: MaxPrice, size: RequestSize, estimate: EstimateUsd): Exclusion | null {
  const { price } = deployment;
  if (cap.input === null && cap.output === null && cap.request === null) return null;
  if (price === null) return excluded(deployment, "no_price", "its price is unknown, and there is a price cap");
  if (cap.input !== null && price.input > cap.input) {
    return excluded(deployment, "price_cap", `its input costs $${price.input} per million, above $${cap.input}`);
  }
  if (cap.output !== null && price.output > cap.output) {
    return excluded(deployment, "price_cap", `its output costs $${price.output} per million, above $${cap.output}`);
  }
  const usd = estimatedUsd(deployment, size, estimate);
  if (cap.request === null || usd === null || usd <= cap.request) return null;
  return excluded(deployment, "price_cap", `this request costs about ${dollars(usd)}, above ${dollars(cap.request)}`);
}

/** What a backup is compared with: the first planned deployment, before anything about breakers. */
export interface CostCap {
  readonly primary: Deployment;
  readonly multiplier: number;
  /** Null: unknown. Never 0: then the multiplier means nothing. */
  readonly primaryUsd: number | null;
}

/** The cap that a multiplier comes to for this request; null when the primary costs nothing. */
export function costCap(
  primary: Deployment,
  multiplier: number,
  size: RequestSize,
  estimate: EstimateUsd,
): CostCap | null {
  const primaryUsd = estimatedUsd(primary, size, estimate);
  return primaryUsd === 0 ? null : { primary, multiplier, primaryUsd };
}

export function byCostCap(
  deployment: Deployment,
  { primary, multiplier, primaryUsd }: CostCap,
  size: RequestSize,
  estimate: EstimateUsd,
): Exclusion | null {
  const usd = estimatedUsd(deployment, size, estimate);
  if (usd === null) {
    return excluded(deployment, "no_price", `its price is unknown, and a backup may cost ${multiplier} × the primary`);
  }
  if (primaryUsd === null) {
    const detail = `the price of the primary ${primary.id} is unknown, so that ${multiplier} × it cannot be compared with`;
    return excluded(deployment, "no_price", detail);
  }
  if (usd <= multiplier * primaryUsd) return null;
  const detail = `it costs ${(usd / primaryUsd).toFixed(2)} × the primary ${primary.id} for this request, above ${multiplier} ×`;
  return excluded(deployment, "price_cap", detail);
}

function dollars(usd: number): string {
  return `$${Number(usd.toPrecision(3))}`;
}

/** The absolute caps of the route and of the request: both hold. */
export function byPrice(
  deployment: Deployment,
  input: PlanInput,
  { estimate }: Pick<PlanContext, "estimate">,
): Exclusion | null {
  const { maxPrice } = input.base.policy;
  const wished = input.overrides?.maxPrice ?? null;
  return (
    (maxPrice === null ? null : byMaxPrice(deployment, maxPrice, input, estimate)) ??
    (wished === null ? null : byMaxPrice(deployment, wished, input, estimate))
  );
}
