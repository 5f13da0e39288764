/** When a deployment's breaker opens, and for how long. Times in milliseconds. */
export interface BreakerSettings {
  /** Consecutive failures that open it. */
  readonly failures: number;
  /** Share of failures (0 to 1) within `windowMs` that opens it, once there were `of` attempts. */
  readonly rate: number;
  readonly of: number;
  readonly windowMs: number;
  /** The first open period; each further one in a row doubles, up to `openMaxMs`, with ±20% jitter. */
  readonly openMs: number;
  readonly openMaxMs: number;
  /** A stream whose first content takes longer is slow, though it answers; null: none is. */
  readonly slowMs: number | null;
  /** Share of slow answers (0 to 1) within `windowMs` that opens it, once there were `of` attempts. */
  readonly slowRate: number;
}

/** Which deployments of a provider are probed. */
export const probeTargets = ["all", "backups"] as const;

/** When and how deployments without traffic are tried. Times in milliseconds. */
export interface ProbeSettings {
  /** A deployment that neither traffic nor a probe reached for this long is probed; null: no probes. */
  readonly everyMs: number | null;
  /** Each interval is longer or shorter by up to this share, so that replicas do not probe in step. */
  readonly jitter: number;
  /** USD that all probes of the provider may cost on one day (UTC). */
  readonly dailyCostUsd: number;
  /** Everything that the provider serves, or only what may have to stand in for a deployment that has traffic. */
  readonly targets: (typeof probeTargets)[number];
}

/**
 * What becomes of a stream that breaks after the commit. `continue`: another deployment completes it where the result is
 * certain to be one answer. `continue-soft`: else it is asked, as a user would, to go on from the last words. `hold`: nothing is
 * sent before the answer is whole, so that a break is invisible. `error`: the client is told.
 */
export const partialPolicies = ["continue", "continue-soft", "hold", "error"] as const;
export type PartialPolicy = (typeof partialPolicies)[number];

/** Whose name for the model an answer's `model` is. */
export const modelReports = ["answered", "requested"] as const;
export type ModelReport = (typeof modelReports)[number];

/** How a route orders its candidates. */
export const strategies = ["order", "latency", "cost", "weighted"] as const;
export type Strategy = (typeof strategies)[number];

/**
 * Whether another model may stand in when no twin answers. `off`: only those that the request lists. `listed`: also those
 * that the configuration lists. `nearest`: also the closest by score. `never`: not even those that the request lists.
 */
export const equivalencePolicies = ["off", "listed", "nearest", "never"] as const;
export type EquivalencePolicy = (typeof equivalencePolicies)[number];

/** `same`: twins are of the primary's precision or better, unknown counts as full. `strict`: unknown is no twin. */
export const fidelities = ["same", "strict"] as const;
export type Fidelity = (typeof fidelities)[number];
/**
 * How a provider is asked to go on with an answer that broke off: see the table in `@tuloy/dialects`. `none`: it can't be.
 */
export const continuationWays = ["assistant-prefix", "vllm", "deepseek", "mistral", "none"] as const;
export type ContinuationWay = (typeof continuationWays)[number];

/** What is kept of prompts and answers beyond the request itself. */
export const retentions = ["metadata", "none"] as const;
export type Retention = (typeof retentions)[number];

export const aggressivenesses = ["patient", "balanced", "eager"] as const;
export type Aggressiveness = (typeof aggressivenesses)[number];

/** What is done when a call's limit passes and another deployment could be called: `next` gives it up, `race` starts the other beside it. */
export type LimitPolicy = "next" | "race";

/**
 * When a second deployment is called beside one that has not answered yet: after so many milliseconds, after the 95th
 * percentile of what that deployment usually takes, or (null) never.
 */
export type HedgeDelay = number | "p95" | null;

/** How hard a route tries, every field set: the preset of its aggressiveness with the route's own values over it. Times in milliseconds. */
export interface FailoverSettings {
  /** Upstream calls a request may make; sibling keys of one deployment are not counted. */
  readonly attempts: number;
  /** The whole request: no attempt and no wait outlives it. */
  readonly deadlineMs: number;
  readonly connectMs: number;
  /** Base of the first-token limit of a streaming attempt. */
  readonly firstTokenMs: number;
  /** Limit of a whole JSON answer. */
  readonly answerMs: number;
  /** After the commit: no bytes at all. */
  readonly stallMs: number;
  /** After the commit: bytes but no content. */
  readonly progressMs: number;
  /** The longest Retry-After worth waiting for. */
  readonly patienceMs: number;
  readonly breaker: BreakerSettings;
  readonly onPartial: PartialPolicy;
  /** Of the aggressiveness alone: there is no field for it. */
  readonly onLimit: LimitPolicy;
  readonly hedge: HedgeDelay;
}

/** Limits of one provider key, as its provider set them. Null: none known. */
export interface KeyLimits {
  /** Requests a minute. */
  readonly rpm: number | null;
  /** Tokens a minute. */
  readonly tpm: number | null;
  /** Requests in flight. */
  readonly concurrency: number | null;
}
