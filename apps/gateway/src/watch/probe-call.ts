import { costUsd } from "@tuloy/catalog";
import type { Clock, Deployment, Failure, FailureClass, Operation, Price, Usage } from "@tuloy/contract";
import { isReadRequest, openaiChat, openaiEmbeddings, probeRequest, type ClientDialect } from "@tuloy/dialects";
import { failureEffects, firstTokenLimit, keyEffect, type Health, type KeyLease, type Permit } from "@tuloy/routing";
import type { KeyReport, PermitResult, ProbeResult } from "@tuloy/routing";

import { AnswerCall, type AnswerOutcome } from "../relay/answer-call.ts";
import { encode, secretOf } from "../relay/encode.ts";
import { readingFor } from "../relay/lane.ts";
import type { Outlet } from "../upstream/outlet.ts";
import type { ProbeTarget } from "./probe-targets.ts";

const dialects: Readonly<Record<Operation, ClientDialect>> = { chat: openaiChat, embeddings: openaiEmbeddings };

/** What a probe may come to, generously: reasoning models are asked for 16 tokens, and some servers add a system prompt. */
const mostUsage: Usage = {
  input_tokens: 32,
  cached_input_tokens: 0,
  output_tokens: 16,
  reasoning_tokens: 0,
  source: "estimate",
};

/** For a key's tokens a minute. */
export const probeTokens = mostUsage.input_tokens + mostUsage.output_tokens;

/** Where a public provider's price is not known, a dear model's is taken, so that the daily cost has an end all the same. */
const dearPrice: Price = { input: 15, output: 75 };

/** What one probe may cost, in USD. A private provider without a price costs nothing. */
export function probeEstimateUsd({ deployment, provider }: ProbeTarget): number {
  const price = deployment.price ?? (provider.visibility === "private" ? null : dearPrice);
  return price === null ? 0 : costUsd(price, mostUsage);
}

/** A bug of ours: its permit and key are free again, and the next probe comes when it is due. */
const ownFault: Failure = {
  class: "internal",
  reason: "the gateway failed to make this call",
  status: null,
  code: null,
  retryAfterMs: null,
};

export interface ProbeCallParts {
  readonly health: Health;
  readonly outlet: Outlet;
  readonly clock: Clock;
  readonly fault: (error: unknown) => void;
}

/** One probe under way. */
export interface ProbeCall {
  readonly done: Promise<{ readonly result: ProbeResult; readonly costUsd: number }>;
  cancel(): void;
}

/**
 * Sends the smallest real request and carries what it shows over to the breaker, the key and the latencies. A provider's
 * list of models stays healthy in most outages and would prove nothing.
 * @param leave a permit for a probe, and a key
 */
export function startProbe(
  target: ProbeTarget,
  leave: { readonly permit: Permit; readonly key: KeyLease },
  parts: ProbeCallParts,
): ProbeCall {
  const { deployment, provider, settings } = target;
  const { clock, outlet, fault, health } = parts;
  const startedAt = clock.now();
  const dialect = dialects[deployment.operation];
  const body = probeRequest(deployment.operation, deployment.upstreamModel, deployment.hiddenReasoning);
  const request = dialect.read(body);
  if (!isReadRequest(request))
    throw new Error(`the probe for ${deployment.operation} is no valid request: ${request.message}`);
  const limitMs = firstTokenLimit({
    baseMs: settings.firstTokenMs,
    hiddenReasoning: deployment.hiddenReasoning,
    highEffort: false,
    inputTokens: 0,
    p99Ms: health.latency(deployment.id).p99(startedAt),
  });
  const secret = secretOf(provider, leave.key.name);
  const context = {
    outlet,
    clock,
    preset: provider.preset,
    secret,
    foreign: false,
    lease: leave.key,
    limits: { connectMs: settings.connectMs, answerMs: leave.permit.kind === "trial" ? limitMs / 2 : limitMs },
    mayCut: () => true,
    fault,
  };
  const { promise, resolve } = Promise.withResolvers<AnswerOutcome>();
  const done = promise.then((outcome) => settleProbe(target, leave, outcome, startedAt, parts));
  try {
    const call = new AnswerCall(
      context,
      encode(request, deployment, provider, secret, {}, deployment.model),
      readingFor(request, deployment, { dialect, clock }, null),
      resolve,
    );
    call.start();
    return { done, cancel: () => call.cancel() };
  } catch (error) {
    fault(error);
    resolve({ kind: "failed", failure: ownFault, empty: null });
    return { done, cancel: () => {} };
  }
}

function settleProbe(
  { deployment, settings, provider }: ProbeTarget,
  { permit, key }: { readonly permit: Permit; readonly key: KeyLease },
  outcome: AnswerOutcome,
  startedAt: number,
  { health, clock }: ProbeCallParts,
): { readonly result: ProbeResult; readonly costUsd: number } {
  const now = clock.now();
  const tookMs = now - startedAt;
  const failure = outcome.kind === "answered" ? null : outcome.failure;
  const breaker = health.breaker(deployment.id);
  // After slow failures recovery stays with the probes, whatever a trial of theirs fails of.
  const slowTrial = permit.kind === "trial" && breaker.isSlow;
  const keys = health.keyPool(deployment.provider);
  keys.report(key, keyReport(failure, settings.patienceMs), now, failure?.retryAfterMs ?? null);
  const usage = outcome.kind === "answered" ? outcome.answer.usage : (outcome.empty?.usage ?? null);
  key.release(now, usage === null ? null : usage.input_tokens + usage.output_tokens);
  const { slowMs } = settings.breaker;
  const late = slowMs !== null && deployment.operation === "chat" && tookMs > slowMs;
  const verdict = failure === null ? "success" : verdictOn(failure.class, slowTrial);
  const shown = verdict === "success" && late ? "slow" : verdict;
  breaker.settle(permit, shown, settings.breaker, now);
  if (failure === null && deployment.operation === "chat") {
    health.latency(deployment.id).record(tookMs, now);
    health.pace(deployment.id).firstToken.record(tookMs, now);
  }
  return {
    result: {
      up: verdict === "neutral" ? null : verdict === "success",
      firstTokenMs: failure === null ? tookMs : null,
      failure: failure?.class ?? null,
    },
    costUsd: costOf(deployment, provider.visibility, failure, usage),
  };
}

/** As for any request: a Retry-After longer than anybody waits for means not to ask until then. */
function keyReport(failure: Failure | null, patienceMs: number): KeyReport {
  if (failure === null) return "ok";
  const effect = keyEffect(failure);
  return effect === "none" && (failure.retryAfterMs ?? 0) > patienceMs ? "wait" : effect;
}

/**
 * What a probe that was not answered says of the deployment. One token may well be no visible content, and a model may refuse
 * so small a limit: an answer in time that finds fault with the request is a sign of health all the same.
 */
function verdictOn(failureClass: FailureClass, slowTrial: boolean): PermitResult {
  const { breaker, key } = failureEffects[failureClass];
  if (failureClass === "internal") return "neutral";
  if (breaker === "none") return key === "none" ? "success" : "neutral";
  if (breaker === "soft") return "success";
  return slowTrial ? "slow_failure" : breaker;
}

/** A refusal costs nothing; what was cut off may be billed as if it had been read. */
function costOf(
  { price }: Deployment,
  visibility: ProbeTarget["provider"]["visibility"],
  failure: Failure | null,
  usage: Usage | null,
): number {
  const known = price ?? (visibility === "private" ? null : dearPrice);
  if (known === null || failure?.class === "refused" || (failure?.status ?? 0) >= 400) return 0;
  return costUsd(known, usage ?? mostUsage);
}
