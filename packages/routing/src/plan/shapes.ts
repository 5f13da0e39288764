import type { Capability, Deployment, Exclusion, ParameterUse, RoutingOverrides } from "@tuloy/contract";

import type { Health } from "../health.ts";
import type { EstimateUsd, RequestSize } from "./estimate.ts";
import type { PlanPolicy } from "./policy.ts";

/** The ordered deployments for one request, and those excluded, each with its reason. */
export interface Plan {
  /** Deployments of the model that was asked for. */
  readonly candidates: readonly Deployment[];
  readonly exclusions: readonly Exclusion[];
  /** Deployments of other models, for when no candidate answers, in order. Absent: none. */
  readonly equivalents?: readonly PlannedEquivalent[];
  /** What is worth knowing about how it was made. Absent: nothing. */
  readonly notes?: readonly string[];
}

/** Another model that may stand in, and why. */
export interface EquivalentOffer {
  /** The other model under the request's own route, so under the same policy. */
  readonly base: PlanBase;
  /** Only at this provider; null: at any. */
  readonly provider: string | null;
  /** Somebody named it, in the configuration or in the request: then its window need not be known to be larger. */
  readonly listed: boolean;
  /** Closeness of the two models, 0 to 1; null for one that was listed. */
  readonly score: number | null;
  /** In words. */
  readonly why: string;
}

/** A deployment of another model, ready behind the candidates. */
export interface PlannedEquivalent {
  readonly deployment: Deployment;
  readonly listed: boolean;
  readonly score: number | null;
  readonly why: string;
}

/** What is the same in all plans of one model under one route for one organization, worked out once. */
export interface PlanBase {
  readonly policy: PlanPolicy;
  /** Everything that serves the model and that the organization may see, in the route's order. */
  readonly listed: readonly Deployment[];
  /** One for each that it may not see. */
  readonly hidden: readonly Exclusion[];
  /** The plan of a request that nothing more stands against. */
  readonly plan: Plan;
  /** Only the needs of a request can change that plan: listed order, no cap. */
  readonly plain: boolean;
}

/** The facts of a request that a plan depends on. */
export interface PlanInput extends RequestSize {
  /** The model under the request's route. */
  readonly base: PlanBase;
  /** The provider that the request is locked to, or null. */
  readonly lock: string | null;
  /** The client asked that nothing but the primary be tried. */
  readonly noFailover: boolean;
  /** What the request uses beyond plain text. */
  readonly capabilities: readonly Capability[];
  /** Estimated input plus requested output, in tokens. */
  readonly tokens: number;
  readonly stream: boolean;
  /** The client's own name of its session, or null. */
  readonly session: string | null;
  /** Under which the session's deployment is remembered; null: it is not. */
  readonly affinity: string | null;
  readonly overrides: RoutingOverrides | null;
  readonly parameterUse: ParameterUse;
  /** Why a deployment can't be told this request in a dialect of its own, in words. Null: every one speaks the client's. */
  readonly obstacle: ((deployment: Deployment) => string | null) | null;
  /** Other models that may stand in, in order. */
  readonly equivalents: readonly EquivalentOffer[];
}

/** What a plan looks up beyond the request. */
export interface PlanContext {
  readonly health: Health;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  readonly estimate: EstimateUsd;
  readonly now: number;
}
