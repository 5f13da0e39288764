import type { Clock, Deployment, FailoverSettings, FailureClass, Operation, Timer } from "@tuloy/contract";
import { isReadRequest, openaiChat, openaiEmbeddings, probeRequest, type ClientDialect } from "@tuloy/dialects";
import { failureEffects, keyEffect, type Health, type PermitResult } from "@tuloy/routing";

import type { LiveConfig } from "../config/live.ts";
import type { Snapshot } from "../config/snapshot.ts";
import { AnswerCall, type AnswerOutcome } from "../relay/answer-call.ts";
import { encode, secretOf } from "../relay/encode.ts";
import { routeFor } from "../config/match.ts";
import type { UpstreamPools } from "../upstream/pools.ts";

/** How often the breakers are looked at. Short against the shortest open period (5 s less 20% jitter). */
const roundMs = 500;

const dialects: Readonly<Record<Operation, ClientDialect>> = { chat: openaiChat, embeddings: openaiEmbeddings };

export interface TrialsContext {
  readonly config: LiveConfig;
  readonly health: Health;
  readonly pools: UpstreamPools;
  readonly clock: Clock;
  /** Told of a bug of ours. */
  readonly fault: (error: unknown) => void;
}

/**
 * Tries deployments whose breaker opened after slow failures (timeouts, stalls). After a fast failure the trial is a real
 * request, which loses little if it fails; after a slow one it would make a user wait for a guess, so the smallest real
 * request is sent from here instead. A provider's list of models stays healthy in most outages and would prove nothing.
 */
export class Trials {
  readonly #context: TrialsContext;
  #timer: Timer | null = null;
  readonly #running = new Set<AnswerCall>();
  #stopped = false;

  constructor(context: TrialsContext) {
    this.#context = context;
  }

  start(): void {
    this.#timer = this.#context.clock.after(roundMs, () => {
      this.#round();
      if (!this.#stopped) this.start();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    for (const call of this.#running) call.cancel();
  }

  #round(): void {
    const { config, health, clock } = this.#context;
    const snapshot = config.current;
    const now = clock.now();
    for (const { deployments } of snapshot.models.values()) {
      for (const deployment of deployments) {
        const breaker = health.breaker(deployment.id);
        if (!breaker.dueForProbe(now)) continue;
        this.#try(deployment, snapshot).catch(this.#context.fault);
      }
    }
  }

  async #try(deployment: Deployment, snapshot: Snapshot): Promise<void> {
    const { health, clock, pools } = this.#context;
    const provider = snapshot.providers.get(deployment.provider);
    if (!provider) return;
    const breaker = health.breaker(deployment.id);
    const keys = health.keyPool(deployment.provider);
    const key = keys.acquire(deployment.id, clock.now());
    if (!key) return;
    const permit = breaker.acquireForProbe(clock.now());
    if (!permit) {
      key.release(clock.now(), 0);
      return;
    }
    const settings = this.#settingsFor(deployment, snapshot);
    const dialect = dialects[deployment.operation];
    const request = dialect.read(probeRequest(deployment.operation, deployment.upstreamModel));
    if (!isReadRequest(request))
      throw new Error(`the probe for ${deployment.operation} is no valid request: ${request.message}`);
    const outcome = await new Promise<AnswerOutcome>((resolve) => {
      const limits = { connectMs: settings.connectMs, answerMs: settings.firstTokenMs / 2 };
      const secret = secretOf(provider, key.name);
      const upstreamRequest = encode(request, deployment, provider, secret, {});
      const call = new AnswerCall(
        { pools, clock, preset: provider.preset, secret, limits, mayCut: () => true, fault: this.#context.fault },
        upstreamRequest,
        dialect,
        (settled) => {
          this.#running.delete(call);
          resolve(settled);
        },
      );
      this.#running.add(call);
      call.start();
    });
    const now = clock.now();
    const shown = outcome.kind === "answered" ? "ok" : keyEffect(outcome.failure);
    keys.report(key, shown, now, outcome.kind === "answered" ? null : outcome.failure.retryAfterMs);
    key.release(now, null);
    breaker.settle(
      permit,
      outcome.kind === "answered" ? "success" : verdict(outcome.failure.class),
      settings.breaker,
      now,
    );
  }

  /** Those of the route that an ordinary production request for this model would take. */
  #settingsFor({ operation, model }: Deployment, snapshot: Snapshot): FailoverSettings {
    return routeFor(snapshot, { operation, model, workspace: "default", environment: "production" }).failover;
  }
}

/**
 * What a probe that was not answered says of the deployment. One token may well be no visible content, and a model may refuse
 * so small a limit: an answer in time that finds fault with the request is a sign of health all the same.
 */
function verdict(failureClass: FailureClass): PermitResult {
  const { breaker, key } = failureEffects[failureClass];
  if (breaker === "none") return key === "none" ? "success" : "neutral";
  return breaker === "soft" ? "success" : "slow_failure";
}
