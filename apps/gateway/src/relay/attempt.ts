import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

import type { AttemptRecord, ClientError, Clock, Deployment, Failure, Usage } from "@tuloy/contract";
import type { ClientDialect } from "@tuloy/dialects";
import { Course, type Health, type Plan, type Stop } from "@tuloy/routing";

import type { LiveConfig } from "../config/live.ts";
import type { Provider, Snapshot } from "../config/snapshot.ts";
import type { Outlet } from "../upstream/outlet.ts";
import { AnswerCall, type Answer } from "./answer-call.ts";
import { askOtherwise, spokenFor, spokenNote } from "./ask-otherwise.ts";
import { encode, noteRewrite, secretOf } from "./encode.ts";
import type { Interrupt, Interruption } from "./interrupt.ts";
import { contentObstacles, readingFor, reportedAs } from "./lane.ts";
import { race } from "./race.ts";
import type { Asked } from "./read.ts";
import { recordAttempt, type OpenAttempt } from "./record.ts";
import { spokenAs } from "./spoken.ts";
import { StreamCall } from "./stream-call.ts";
import type { CallContext, UpstreamCall } from "./upstream-call.ts";

/** What the loop works with, all of it the process's or the request's own. */
export interface AttemptContext {
  /** What the request started with. */
  readonly snapshot: Snapshot;
  readonly config: LiveConfig;
  readonly dialect: ClientDialect;
  readonly clientHeaders: IncomingHttpHeaders;
  readonly health: Health;
  readonly outlet: Outlet;
  readonly clock: Clock;
  readonly random: () => number;
  readonly interrupt: Interrupt;
  /** When the request came, by the clock. */
  readonly startedAt: number;
  /** The attempts that are over, in order: added to as they end. */
  readonly records: AttemptRecord[];
  /** Told of a bug of ours. */
  readonly fault: (error: unknown) => void;
}

/** How the attempts ended. In the first two the last attempt is still open: its end is known when the answer is delivered. */
export type AttemptResult =
  | { readonly kind: "stream"; readonly open: OpenAttempt; readonly stream: StreamCall }
  | { readonly kind: "answer"; readonly open: OpenAttempt; readonly answer: Answer }
  /** Nobody had anything to say: the first such answer, whole. */
  | { readonly kind: "empty"; readonly record: AttemptRecord; readonly body: Buffer; readonly usage: Usage | null }
  | { readonly kind: "stopped"; readonly stop: Stop }
  /** Deployments that a policy kept out could have answered. */
  | { readonly kind: "held_back"; readonly error: ClientError }
  | { readonly kind: "interrupted"; readonly reason: Interruption };

export interface Attempted {
  readonly result: AttemptResult;
  readonly course: Course;
  /** The attempts that are over, in order. */
  readonly records: AttemptRecord[];
}

/** An empty answer that was put aside in case nobody has a better one. */
export interface SetAside {
  readonly record: AttemptRecord;
  readonly body: Buffer;
  readonly usage: Usage | null;
}

/**
 * The only loop of a request: asks the course what to do, does it, and tells the course how it went, until an answer stands
 * or there is nothing left to do. What to do next is the course's business, never decided here.
 */
export async function attempt(asked: Asked, plan: Plan, context: AttemptContext): Promise<Attempted> {
  const { clock, interrupt, startedAt, records } = context;
  const course = startCourse(asked, plan, context);
  let empty: SetAside | null = null;
  const ended = (result: AttemptResult): Attempted => ({ result, course, records });

  for (;;) {
    if (interrupt.reason) {
      course.cancelled(null, clock.now());
      return ended({ kind: "interrupted", reason: interrupt.reason });
    }
    const step = course.next(clock.now());
    if (step.do === "stop")
      return ended(
        step.stop.because === "empty_answer" && empty
          ? { kind: "empty", ...empty }
          : { kind: "stopped", stop: step.stop },
      );
    if (step.do === "wait") {
      await pause(step.ms, context);
      continue;
    }
    if (course.race) {
      const raced = await race(step.call, course.race, {
        asked,
        course,
        records,
        context,
        make: (open, mayCut, settle) => upstreamCall({ asked, open, context, mayCut, settle }),
        leave: (open, reason, now) => leaveCall(course, open, reason, now),
        fault: (error) => faulty(error, context),
      });
      empty ??= raced.empty;
      if (raced.result) return ended(raced.result);
      continue;
    }
    const open: OpenAttempt = { call: step.call, startedAt: clock.now(), upstream: null };
    const outcome = await callUpstream(asked, course, open, context);
    const now = clock.now();
    if (outcome.kind === "stream") {
      course.committed(open.call, now, (outcome.stream.contentAt ?? now) - open.startedAt);
      return ended(outcome);
    }
    if (outcome.kind === "answer") return ended(outcome);
    if (outcome.kind === "interrupted") {
      const failure = leaveCall(course, open, outcome.reason, now);
      records.push(recordAttempt(open, { startedAt, now, failure, usage: null }));
      return ended(outcome);
    }
    course.failed(open.call, outcome.failure, now);
    const record = recordAttempt(open, {
      startedAt,
      now,
      failure: outcome.failure,
      usage: outcome.empty?.usage ?? null,
    });
    records.push(record);
    if (outcome.empty) empty ??= { record, body: outcome.empty.body, usage: outcome.empty.usage };
  }
}

function startCourse(asked: Asked, plan: Plan, { startedAt, health, random, snapshot }: AttemptContext): Course {
  const { request, route, deadlineMs, clientShortened, principal } = asked;
  const { facts } = request;
  return new Course(
    {
      plan,
      settings: route.failover,
      startedAt,
      deadlineAt: startedAt + deadlineMs,
      stream: facts.stream,
      inputTokens: facts.inputTokens,
      tokens: facts.inputTokens + (facts.maxOutputTokens ?? 0),
      highEffort: facts.highEffort,
      locked: asked.lock !== null,
      fingerprint: () =>
        createHash("sha256")
          .update(request.encode("", { streamUsage: false }))
          .digest("base64"),
      affinity: asked.affinity,
      clientShortened,
      caller: principal,
      onlyKey: asked.onlyKey,
      obstacle: contentObstacles(request, plan, snapshot, spokenAs(health, startedAt)),
    },
    health,
    random,
  );
}

export type CallOutcome =
  | Extract<AttemptResult, { kind: "stream" | "answer" | "interrupted" }>
  | {
      readonly kind: "failed";
      readonly failure: Failure;
      readonly empty: { readonly body: Buffer; readonly usage: Usage | null } | null;
    };

/** A bug of ours while a call was being made: told to the operator, and nobody's fault but ours. */
export function ownFault(error: unknown, { fault }: Pick<AttemptContext, "fault">): Failure {
  fault(error);
  return {
    class: "internal",
    reason: "the gateway failed to make this call",
    status: null,
    code: null,
    retryAfterMs: null,
  };
}

/** The course ends with such a call, and its key and permit are free again. */
function faulty(error: unknown, context: AttemptContext): CallOutcome {
  return { kind: "failed", failure: ownFault(error, context), empty: null };
}

/** Makes one call and waits until it is decided, or until the request is stopped from outside. Never rejects. */
function callUpstream(asked: Asked, course: Course, open: OpenAttempt, context: AttemptContext): Promise<CallOutcome> {
  const { interrupt, clock } = context;
  return new Promise((resolve) => {
    const settle = (outcome: CallOutcome): void => {
      interrupt.listen(null);
      resolve(outcome);
    };
    try {
      const mayCut = (): boolean => {
        const now = clock.now();
        return cutsOrSlow(course, open, course.canMoveOn(now), now);
      };
      const upstream = upstreamCall({ asked, open, context, mayCut, settle });
      open.upstream = upstream;
      interrupt.listen((reason) => {
        // Another call may have taken this one's place.
        open.upstream?.cancel();
        settle({ kind: "interrupted", reason });
      });
      upstream.start();
    } catch (error) {
      settle(faulty(error, context));
    }
  });
}

/** What a call is made from. */
interface Making {
  readonly asked: Asked;
  readonly open: OpenAttempt;
  readonly context: AttemptContext;
  readonly mayCut: () => boolean;
  /** Called once with what it came to, unless it is cancelled. */
  readonly settle: (outcome: CallOutcome) => void;
}

/** One call, ready to be started. */
function upstreamCall(making: Making): UpstreamCall {
  const { asked, open, context, mayCut, settle } = making;
  const { request, route, entry } = asked;
  const { call } = open;
  const { clock, outlet, fault } = context;
  const deployment = open.spoken ?? spokenFor(request, call.deployment, context);
  if (deployment !== call.deployment)
    noteRewrite(request, deployment.id, [spokenNote(request, call.deployment, deployment)]);
  const provider = providerOf(call.deployment, context);
  const secret = secretOf(provider, call.key.name);
  const upstreamRequest = encode(request, deployment, provider, secret, context.clientHeaders, entry.model);
  const reading = readingFor(request, deployment, context, reportedAs(route, request));
  const callContext: CallContext = {
    outlet,
    clock,
    preset: provider.preset,
    secret,
    foreign: reading !== context.dialect,
    lease: call.key,
    limits: { connectMs: route.failover.connectMs, answerMs: call.firstTokenMs },
    mayCut,
    fault,
  };
  if (!request.facts.stream) {
    return new AnswerCall(callContext, upstreamRequest, reading, (outcome) =>
      outcome.kind === "answered"
        ? settle({ kind: "answer", open, answer: outcome.answer })
        : settleFailed(outcome, making),
    );
  }
  const { onPartial } = route.failover;
  return new StreamCall(callContext, upstreamRequest, reading, {
    wantsUsage: request.facts.wantsUsage,
    choices: request.facts.choices,
    stallLimits: route.failover,
    keep: onPartial === "continue" || onPartial === "continue-soft",
    hold: onPartial === "hold",
    settle: (outcome) =>
      outcome.kind === "committed"
        ? settle({ kind: "stream", open, stream: outcome.stream })
        : settleFailed(outcome, making),
  });
}

/** A call failed; where the server only has no path for the dialect, it may be asked in another. */
function settleFailed(
  outcome: Extract<CallOutcome, { kind: "failed" }>,
  { asked, open, context, mayCut, settle }: Making,
): void {
  if (outcome.failure.missingPath !== true) return settle(outcome);
  askOtherwise(outcome, {
    request: asked.request,
    open,
    context,
    make: (again) => upstreamCall({ asked, open, context, mayCut, settle: again }),
    settle,
    faulty: (error) => faulty(error, context),
  });
}

/**
 * The provider as it is configured now: a key is leased from the live pool, so its value must be of the same moment, or a
 * changed key would be sent with its old value and be blamed for it. One that is configured no more is what it was.
 */
export function providerOf(
  { provider: name }: Pick<Deployment, "provider">,
  { config, snapshot }: Pick<AttemptContext, "config" | "snapshot">,
): Provider {
  const provider = config.current.providers.get(name) ?? snapshot.providers.get(name);
  if (!provider) throw new Error(`the plan names ${name}, which this configuration does not have`);
  return provider;
}

/** Past its limit, a call is cut only if that lets another be made; if not, it is noted as slow, once, and goes on. */
export function cutsOrSlow(course: Course, open: OpenAttempt, canMoveOn: boolean, now: number): boolean {
  if (canMoveOn) return true;
  if (!open.slow) course.slow(open.call, now);
  open.slow = true;
  return false;
}

/**
 * The request was stopped from outside while a call was running. Only a deadline can be the deployment's fault, and only
 * when it had its whole first-token limit for itself and said nothing: a held answer that was being written was in time.
 */
function leaveCall(course: Course, open: OpenAttempt, reason: Interruption, now: number): Failure {
  const failure = (failureClass: Failure["class"], words: string): Failure => ({
    class: failureClass,
    reason: words,
    status: open.upstream?.status ?? null,
    code: null,
    retryAfterMs: null,
  });
  const answering = (open.upstream?.contentAt ?? null) !== null;
  if (reason === "deadline" && !answering && !open.slow && now - open.startedAt >= open.call.firstTokenMs) {
    const timeout = failure("first_token_timeout", "no content before the request's deadline");
    course.failed(open.call, timeout, now);
    return timeout;
  }
  course.cancelled(open.call, now);
  if (reason === "gone") return failure("cancelled", "the client went away");
  if (reason === "deadline" && answering)
    return failure("cancelled", "the request's deadline passed before the whole answer was there");
  if (reason === "deadline")
    return failure("first_token_timeout", "the request's deadline passed before this attempt had its full time");
  return failure("cancelled", "the gateway is shutting down");
}

/** Waits, or less when the request is stopped. */
function pause(ms: number, { clock, interrupt }: AttemptContext): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      timer.cancel();
      interrupt.listen(null);
      resolve();
    };
    const timer = clock.after(ms, done);
    interrupt.listen(done);
  });
}
