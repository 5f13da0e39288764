import type { Dialect, Operation } from "./deployment.ts";
import type { FailureClass } from "./failure.ts";

/** Why a deployment is not in a plan, or was passed over while the plan was carried out. */
export const exclusionReasons = [
  "locked_elsewhere",
  "not_in_route",
  "no_failover",
  "ignored_by_request",
  "region",
  "visibility",
  "capability",
  "context",
  "fidelity",
  "retention",
  "parameters",
  "price_cap",
  "no_price",
  "isolated",
  "breaker_open",
  "no_usable_key",
] as const;
export type ExclusionReason = (typeof exclusionReasons)[number];

export interface Exclusion {
  readonly deployment: string;
  readonly reason: ExclusionReason;
  /** In words: what would have to change for it to be a candidate. */
  readonly detail: string;
}

/** Why an attempt was made. */
export const attemptKinds = [
  "first",
  "twin",
  "sibling_key",
  "same_deployment",
  "equivalent",
  "last_resort",
  "race",
  "hedge",
  "continuation",
  "continuation_probe",
  "replay",
  "soft_continuation",
] as const;
export type AttemptKind = (typeof attemptKinds)[number];

/** A deployment of another model that may stand in when no twin answers, and why it was chosen. */
export interface EquivalentRecord {
  readonly deployment: string;
  /** Closeness of the two models, 0 to 1; null for one that was listed by hand. */
  readonly score: number | null;
  /** In words. */
  readonly why: string;
}

/** Token counts as the provider reported them, or estimated when it reported none. */
export interface Usage {
  readonly input_tokens: number;
  /** Part of `input_tokens` that was read from the provider's prompt cache. */
  readonly cached_input_tokens: number;
  readonly output_tokens: number;
  /** Part of `output_tokens` that was reasoning. */
  readonly reasoning_tokens: number;
  readonly source: "provider" | "estimate";
  /** Part of `input_tokens` that was written to the provider's prompt cache. Absent: none. */
  readonly cache_write_tokens?: number;
  /** Part of `cache_write_tokens` that was written for an hour instead of minutes, which costs more. Absent: none. */
  readonly cache_write_1h_tokens?: number;
}

/** One call to one deployment with one key. Times are milliseconds from the trace's start. */
export interface AttemptRecord {
  readonly deployment: string;
  readonly provider: string;
  readonly model: string;
  readonly upstream_model: string;
  readonly region: string | null;
  /** The provider key's name; never its value. */
  readonly key: string;
  readonly kind: AttemptKind;
  /** The breaker was half-open and this attempt was its trial. */
  readonly trial: boolean;
  readonly started_ms: number;
  readonly connected_ms: number | null;
  readonly first_token_ms: number | null;
  readonly ended_ms: number;
  readonly status: number | null;
  readonly failure: FailureClass | null;
  readonly reason: string | null;
  readonly usage: Usage | null;
  readonly cost_usd: number | null;
  /** The id of the drill whose fault was laid over this attempt, or null: what it says of the deployment was made up. */
  readonly drill: string | null;
}

export const outcomes = ["succeeded", "failed", "broken", "cancelled"] as const;
/**
 * `succeeded`: the client got a whole answer. `failed`: it got an error. `broken`: a stream ended in an error event after
 * the commit. `cancelled`: the client went away first.
 */
export type Outcome = (typeof outcomes)[number];

/** The record of one request. A public format: `tuloy traces --json` and exports print it as it is. */
export interface Trace {
  /** 32 lower-case hex digits; the first 12 are the time, so ids sort by it. Valid as a W3C trace id. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly started_at: number;
  readonly organization: string;
  readonly workspace: string;
  readonly environment: string;
  /** The name of the API key that asked; never its value. */
  readonly key: string;
  readonly operation: Operation;
  readonly dialect: Dialect;
  readonly stream: boolean;
  readonly requested_model: string;
  readonly model: string | null;
  readonly route: string | null;
  readonly config_version: string;
  readonly candidates: readonly string[];
  readonly exclusions: readonly Exclusion[];
  readonly attempts: readonly AttemptRecord[];
  readonly outcome: Outcome;
  /** The HTTP status the client got, or 0 when it left before one was sent. */
  readonly status: number;
  /** The error code the client got, or null. */
  readonly code: string | null;
  /** The class of the first failed attempt, when the request failed over. */
  readonly failover: FailureClass | null;
  /** The provider that answered, or null. */
  readonly provider: string | null;
  readonly first_token_ms: number | null;
  readonly duration_ms: number;
  readonly usage: Usage | null;
  readonly cost_usd: number | null;
  /** What failing over cost against the primary: the price difference for this usage, and the time lost before the answering attempt began. */
  readonly deltas: { readonly cost_usd: number | null; readonly latency_ms: number } | null;
  readonly tags: Readonly<Record<string, string>>;
  /** Oddities worth knowing: a skipped malformed event, an added `[DONE]`, a missing price. */
  readonly notes: readonly string[];
  /**
   * The id of the drill in whose scope the request was, or null. It ran with breakers, keys and latencies of the drill's own,
   * whether or not one of its attempts met the drill's fault.
   */
  readonly drill: string | null;
  /** Deployments of other models that the plan held ready behind the candidates, in order. Absent: none. */
  readonly equivalents?: readonly EquivalentRecord[];
}

export const alertKinds = [
  "provider_key_quarantined",
  "provider_key_restored",
  "breaker_opened",
  "breaker_closed",
  "ledger_failing",
  "config_rejected",
  "probe_budget_spent",
  "deployment_isolated",
  "deployment_restored",
  "drill_started",
  "drill_ended",
  "idempotency_failing",
  "responses_failing",
  "record_refused",
] as const;
export type AlertKind = (typeof alertKinds)[number];

/** Something an operator should know. Also a public format. */
export interface Alert {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly kind: AlertKind;
  /** What it is about: a deployment id, `provider/key name`, what was isolated, or the id of a drill or trace. */
  readonly subject: string;
  readonly message: string;
}
