import type { Capability, Deployment, Exclusion, ParameterUse, Price } from "@tuloy/contract";
import { makePlan } from "@tuloy/routing";
import type { Plan } from "@tuloy/routing";

import type { ModelEntry, Route } from "../config/snapshot.ts";

/** What is asked beyond the model. */
export interface Wish {
  readonly lock: string | null;
  readonly capabilities: readonly Capability[];
  /** Input plus requested output. */
  readonly tokens: number;
}

const noParameters: ParameterUse = { parameters: [], stops: 0 };

export const anyRequest: Wish = { lock: null, capabilities: [], tokens: 0 };

/** The plan that a route makes for a model, before any health is known. */
export function planOf(entry: ModelEntry, route: Route, wish: Wish): Plan {
  return makePlan({
    deployments: entry.deployments,
    providers: route.providers,
    lock: wish.lock,
    noFailover: false,
    capabilities: wish.capabilities,
    tokens: wish.tokens,
    parameterUse: noParameters,
    requireParameters: false,
  });
}

/** A candidate as `--json` prints it. */
export interface CandidateView {
  readonly deployment: string;
  readonly provider: string;
  readonly upstream_model: string;
  readonly region: string | null;
  readonly context: number | null;
  /** USD per million tokens. */
  readonly price: { readonly input: number; readonly output: number; readonly cached_input: number | null } | null;
}

export interface PlanView {
  readonly model: string;
  readonly operation: string;
  readonly candidates: readonly CandidateView[];
  readonly exclusions: readonly Exclusion[];
}

export function planView(entry: ModelEntry, { candidates, exclusions }: Plan): PlanView {
  return { model: entry.model, operation: entry.operation, candidates: candidates.map(candidateView), exclusions };
}

function candidateView(deployment: Deployment): CandidateView {
  const { price } = deployment;
  return {
    deployment: deployment.id,
    provider: deployment.provider,
    upstream_model: deployment.upstreamModel,
    region: deployment.region,
    context: deployment.contextTokens,
    price:
      price === null ? null : { input: price.input, output: price.output, cached_input: price.cachedInput ?? null },
  };
}

/** The cells of a candidate's row; the headings are `candidateHeadings`. */
export function candidateCells({ deployment, upstream_model, price, context, region }: CandidateView): string[] {
  return [
    deployment,
    upstream_model,
    price === null ? "price unknown" : `${dollars(price)} per M`,
    context === null ? "unknown" : context.toLocaleString("en-US"),
    region ?? "unknown",
  ];
}

export const candidateHeadings: readonly string[] = [
  "deployment",
  "provider's id",
  "price in / out",
  "context",
  "region",
];

function dollars({ input, output }: Pick<Price, "input" | "output">): string {
  return `$${input} / $${output}`;
}
