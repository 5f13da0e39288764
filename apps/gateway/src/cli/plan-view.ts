import { estimateUsd } from "@tuloy/catalog";
import type { Capability, Deployment, EquivalentRecord, Exclusion, ParameterUse, Price } from "@tuloy/contract";
import { laneFor, laneObstacle } from "@tuloy/dialects";
import { estimatedUsd, Health, makePlan, shareOf, type EquivalentOffer, type Plan } from "@tuloy/routing";

import { offersOf, planBaseOf } from "../config/plan-bases.ts";
import { fileOrganization } from "../config/deployments.ts";
import type { ModelEntry, Route, Snapshot } from "../config/snapshot.ts";
import { formatUsd } from "./render/text.ts";

/** What is asked beyond the model. */
export interface Wish {
  readonly lock: string | null;
  readonly capabilities: readonly Capability[];
  /** What must fit into the window: input plus requested output. */
  readonly tokens: number;
  /** What prices are estimated for. */
  readonly inputTokens: number;
  readonly maxOutputTokens: number | null;
  readonly session: string | null;
}

const noParameters: ParameterUse = { parameters: [], stops: 0 };

/** A short question: prices have to be compared for something. */
const shortInput = 1000;

export const anyRequest: Wish = {
  lock: null,
  capabilities: [],
  tokens: 0,
  inputTokens: shortInput,
  maxOutputTokens: null,
  session: null,
};

/** The plan that a route makes for a model, before any health is known and without chance. */
export function planOf(snapshot: Snapshot, entry: ModelEntry, route: Route, wish: Wish): Plan {
  // Clients of every dialect are served; most speak this one.
  const usual = entry.operation === "chat" ? "openai-chat" : "openai-embeddings";
  const noOffers: readonly EquivalentOffer[] = [];
  return makePlan(
    {
      base: planBaseOf(route, entry, fileOrganization),
      lock: wish.lock,
      noFailover: false,
      capabilities: wish.capabilities,
      tokens: wish.tokens,
      inputTokens: wish.inputTokens,
      maxOutputTokens: wish.maxOutputTokens,
      stream: true,
      session: wish.session,
      affinity: null,
      overrides: null,
      parameterUse: noParameters,
      obstacle: (deployment) => laneObstacle(usual, deployment, laneFor(usual, deployment), wish.capabilities),
      equivalents: wish.lock === null ? offersOf(snapshot, route, entry, fileOrganization) : noOffers,
    },
    // In the middle of all chances the largest share comes first, and nothing is explored.
    { health: new Health({ random: () => 0.5 }), random: () => 0.5, estimate: estimateUsd, now: 0 },
  );
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
  /** What the request would cost here, in USD; null when the price is unknown. */
  readonly estimate_usd: number | null;
  /** Of the route's requests, 0 to 1. Only under `weighted`. */
  readonly share: number | null;
}

export interface PlanView {
  readonly model: string;
  readonly operation: string;
  readonly strategy: string;
  readonly candidates: readonly CandidateView[];
  /** Deployments of other models behind the candidates. */
  readonly equivalents: readonly EquivalentRecord[];
  readonly exclusions: readonly Exclusion[];
  readonly notes: readonly string[];
}

export function planView(entry: ModelEntry, route: Route, wish: Wish, plan: Plan): PlanView {
  const { candidates, exclusions, equivalents = [], notes = [] } = plan;
  const shares = candidates.map((deployment) => shareOf(deployment, candidates, route.weights));
  const all = shares.reduce((sum, share) => sum + share, 0);
  return {
    model: entry.model,
    operation: entry.operation,
    strategy: route.strategy,
    candidates: candidates.map((deployment, index) =>
      candidateView(deployment, wish, route.strategy === "weighted" && all > 0 ? (shares[index] ?? 0) / all : null),
    ),
    equivalents: equivalents.map(({ deployment, score, why }) => ({ deployment: deployment.id, score, why })),
    exclusions,
    notes,
  };
}

function candidateView(deployment: Deployment, wish: Wish, share: number | null): CandidateView {
  const { price } = deployment;
  return {
    deployment: deployment.id,
    provider: deployment.provider,
    upstream_model: deployment.upstreamModel,
    region: deployment.region,
    context: deployment.contextTokens,
    price:
      price === null ? null : { input: price.input, output: price.output, cached_input: price.cachedInput ?? null },
    estimate_usd: estimatedUsd(deployment, wish, estimateUsd),
    share,
  };
}

/** The cells of a candidate's row; the headings are `candidateHeadings`. */
export function candidateCells(candidate: CandidateView, strategy: string): string[] {
  const { deployment, upstream_model, price, context, region } = candidate;
  return [
    deployment,
    upstream_model,
    price === null ? "price unknown" : `${dollars(price)} per M`,
    context === null ? "unknown" : context.toLocaleString("en-US"),
    region ?? "unknown",
    ...strategyCells(candidate, strategy),
  ];
}

/** What the strategy goes by. Latencies are learned from traffic: a file at rest has none. */
function strategyCells({ estimate_usd: estimate, share }: CandidateView, strategy: string): string[] {
  if (strategy === "cost") return [estimate === null ? "unknown" : formatUsd(estimate)];
  if (strategy === "weighted") return [share === null ? "unknown" : `${Math.round(share * 1000) / 10}%`];
  return strategy === "latency" ? ["unknown at rest"] : [];
}

const headings: readonly string[] = ["deployment", "provider's id", "price in / out", "context", "region"];
const strategyHeadings = new Map([
  ["cost", "estimate"],
  ["weighted", "share"],
  ["latency", "first token"],
]);

export function candidateHeadings(strategy: string): readonly string[] {
  const own = strategyHeadings.get(strategy);
  return own === undefined ? headings : [...headings, own];
}

function dollars({ input, output }: Pick<Price, "input" | "output">): string {
  return `$${input} / $${output}`;
}
