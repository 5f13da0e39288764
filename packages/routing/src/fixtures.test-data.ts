import type { Deployment, Failure, FailureClass } from "@tuloy/contract";

import type { Call, CourseInput, Step } from "./attempt.ts";
import { Course } from "./course.ts";
import { Health } from "./health.ts";
import type { HealthOptions } from "./health.ts";
import { failoverPreset } from "./presets.ts";

const statuses: Partial<Record<FailureClass, number>> = {
  overloaded: 529,
  server_error: 500,
  rate_limited: 429,
  quota_exhausted: 429,
  auth: 401,
  model_missing: 404,
  context_length: 400,
  invalid_request: 400,
  content_filter: 400,
};

export function failure(failureClass: FailureClass, fields: Partial<Failure> = {}): Failure {
  const status = statuses[failureClass] ?? null;
  return { class: failureClass, reason: `it was ${failureClass}`, status, code: null, retryAfterMs: null, ...fields };
}

/** No jitter, and the first of several keys. */
export function steadyHealth(options: Partial<HealthOptions> = {}): Health {
  return new Health({ random: () => 0.5, ...options });
}

export function course(health: Health, candidates: readonly Deployment[], fields: Partial<CourseInput> = {}): Course {
  const input: CourseInput = {
    plan: { candidates, exclusions: [] },
    settings: failoverPreset("balanced"),
    startedAt: 0,
    deadlineAt: 570_000,
    stream: true,
    inputTokens: 0,
    highEffort: false,
    fingerprint: () => "this request",
    clientShortened: false,
    ...fields,
  };
  return new Course(input, health, () => 0.5);
}

export function callOf(step: Step): Call {
  if (step.do !== "call") throw new Error(`expected a call: ${JSON.stringify(step)}`);
  return step.call;
}

/** Opens a deployment's breaker at a time, after fast failures of other requests. */
export function open(health: Health, id: string, now: number, slow = false): void {
  const settings = failoverPreset("balanced").breaker;
  for (let i = 0; i < settings.failures; i++) health.breaker(id).fail(settings, now, { slow });
}

/** Leaves nothing in the retry budget at a time. */
export function spendRetries(health: Health, now: number): void {
  for (let i = 0; i < 100; i++) health.retryBudget.tryRetry(now);
}
