import type { AttemptRecord, Deployment, Failure, Usage } from "@tuloy/contract";
import { costUsd } from "@tuloy/catalog";
import type { Call } from "@tuloy/routing";

import type { UpstreamCall } from "./upstream-call.ts";

/** An attempt whose end is not known yet. */
export interface OpenAttempt {
  readonly call: Call;
  /** By the clock. */
  startedAt: number;
  /** The call's deployment, without the dialects that it was found not to speak; absent: as it is. */
  spoken?: Deployment;
  upstream: UpstreamCall | null;
  /** It passed its first-token limit and was let go on. */
  slow?: boolean;
  /** When its first content came, by the clock. */
  firstTokenAt?: number;
}

/** How an attempt ended. `startedAt` is the request's start: a trace counts from there. */
export interface AttemptEnd {
  readonly startedAt: number;
  readonly now: number;
  readonly failure: Failure | null;
  readonly usage: Usage | null;
}

/** One attempt for the trace. */
export function recordAttempt(open: OpenAttempt, { startedAt, now, failure, usage }: AttemptEnd): AttemptRecord {
  const { deployment, key, kind, trial } = open.call;
  const connectedAt = open.upstream?.connectedAt ?? null;
  return {
    deployment: deployment.id,
    provider: deployment.provider,
    model: deployment.model,
    upstream_model: deployment.upstreamModel,
    region: deployment.region,
    key: key.name,
    kind,
    trial,
    started_ms: millis(open.startedAt - startedAt),
    connected_ms: connectedAt === null ? null : millis(connectedAt - startedAt),
    first_token_ms: open.firstTokenAt === undefined ? null : millis(open.firstTokenAt - startedAt),
    ended_ms: millis(now - startedAt),
    status: failure?.status ?? open.upstream?.status ?? null,
    failure: failure?.class ?? null,
    reason: failure?.reason ?? null,
    usage,
    cost_usd: usage && deployment.price ? costUsd(deployment.price, usage) : null,
    drill: open.upstream?.drill ?? null,
  };
}

/** Milliseconds with microseconds: what a clock gives beyond that is noise, and takes space in every record. */
export function millis(duration: number): number {
  return Math.round(duration * 1000) / 1000;
}
