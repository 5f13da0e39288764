import type { AttemptRecord, Clock, Failure, Timer, Usage } from "@tuloy/contract";
import { completedUsage, type ClientDialect, type CompletionMode, type SentAnswer } from "@tuloy/dialects";
import { Completion, plannedOf, type CompletionStep, type Plan } from "@tuloy/routing";

import type { ClientReply } from "../http/client-reply.ts";
import { cutsOrSlow, type AttemptContext, type Attempted } from "./attempt.ts";
import { askToComplete, askWhetherItContinues, skillOf } from "./completing-call.ts";
import { pourStream, relabelFor } from "./deliver.ts";
import { estimateUsage } from "./estimate.ts";
import type { Interruption } from "./interrupt.ts";
import { contentObstacles } from "./lane.ts";
import type { Asked } from "./read.ts";
import { spokenAs } from "./spoken.ts";
import { recordAttempt, type OpenAttempt } from "./record.ts";
import { heartbeatMs } from "./reply.ts";
import type { StreamCall } from "./stream-call.ts";

/** A stream that broke after some of it reached the client. */
export interface BrokenStream {
  readonly open: OpenAttempt;
  readonly stream: StreamCall;
  readonly sent: SentAnswer;
  readonly failure: Failure;
}

export interface CompleteContext {
  readonly asked: Asked;
  readonly plan: Plan;
  readonly attempted: Attempted;
  readonly attempting: AttemptContext;
  readonly reply: ClientReply;
}

/** What became of a stream that broke. */
export type Completed =
  /** The client has a whole answer; `usage` is that answer's, whoever generated it. */
  | { readonly kind: "whole"; readonly record: AttemptRecord; readonly usage: Usage; readonly note: string }
  /** Nobody could complete it. */
  | { readonly kind: "broken"; readonly why: string }
  | { readonly kind: "interrupted"; readonly reason: Interruption };

type Call = Exclude<CompletionStep, { do: "stop" }>;

/**
 * Completes a stream that broke, from other deployments of the model, so that the client sees one answer. Which deployment is
 * asked and how is the completion's business; each call is an attempt on the trace.
 */
export async function complete(broken: BrokenStream, context: CompleteContext): Promise<Completed> {
  const { asked, plan, attempted, attempting, reply } = context;
  const { clock, interrupt, dialect, health } = attempting;
  const { sent } = broken;
  const { deployment: from } = broken.open.call;
  const obstacle = contentObstacles(asked.request, plan, attempting.snapshot, spokenAs(health, clock.now()));
  const completion = new Completion(
    {
      planned: obstacle === null ? plannedOf(plan) : plannedOf(plan).filter((each) => obstacle(each) === null),
      from,
      failure: broken.failure,
      softAllowed: asked.route.failover.onPartial === "continue-soft",
      skillOf: (deployment) => skillOf(deployment, attempting),
    },
    attempted.course,
    health,
  );
  const brokeAt = sent.length;
  let heartbeat = beatUntilMore(reply, dialect, sent, clock);
  try {
    for (;;) {
      if (interrupt.reason) return { kind: "interrupted", reason: interrupt.reason };
      const body = asked.request.encode("", { streamUsage: false });
      const step = completion.next(dialect.completable(body, sent), clock.now());
      if (step.do === "stop") return { kind: "broken", why: step.why };
      if (step.do === "probe") {
        await probe(step, completion, context);
        continue;
      }
      const { tokens: tokensBefore, length: lengthBefore } = sent;
      const one = await completeOnce(step, step.do, completion, { ...context, sent });
      if (one.kind === "failed") {
        completion.failed(step, one.failure, clock.now());
        if (sent.length === lengthBefore) continue;
        // It spoke before it broke: another silence begins.
        heartbeat.cancel();
        heartbeat = beatUntilMore(reply, dialect, sent, clock);
        continue;
      }
      if (one.kind === "interrupted") return one;
      const usage = completedUsage(step.do, tokensBefore, one.usage);
      return { kind: "whole", record: one.record, usage, note: noteOf(step, from.id, brokeAt) };
    }
  } finally {
    heartbeat.cancel();
  }
}

type Once =
  | { readonly kind: "whole"; readonly record: AttemptRecord; readonly usage: Usage }
  | { readonly kind: "failed"; readonly failure: Failure }
  | { readonly kind: "interrupted"; readonly reason: Interruption };

/** One call that shall complete the answer, to its end. */
async function completeOnce(
  { call }: Call,
  mode: CompletionMode,
  completion: Completion,
  context: CompleteContext & { readonly sent: SentAnswer },
): Promise<Once> {
  const { asked, attempted, attempting, reply, sent } = context;
  const { clock, startedAt, dialect } = attempting;
  const { course, records } = attempted;
  const open: OpenAttempt = { call, startedAt: clock.now(), upstream: null };
  const body = asked.request.encode("", { streamUsage: false });
  const mayCut = (): boolean => {
    const now = clock.now();
    return cutsOrSlow(course, open, completion.canMoveOn(call, dialect.completable(body, sent), now), now);
  };
  const begun = mode === "exact" || mode === "soft" ? sent.tokens : 0;
  const outcome = await askToComplete(open, { mode, sent, mayCut }, asked, attempting);
  const stream = outcome.kind === "committed" ? outcome.stream : null;
  if (stream) {
    open.firstTokenAt = clock.now();
    course.committed(call, open.firstTokenAt, open.firstTokenAt - open.startedAt);
  }
  const delivery = stream ? await pourStream(stream, reply, attempting, relabelFor(asked, dialect)) : null;
  const now = clock.now();
  const usage = stream ? (stream.seen?.usage ?? estimateUsage(asked, stream.written, begun)) : null;
  const ended = (failure: Failure | null): AttemptRecord => {
    const record = recordAttempt(open, { startedAt, now, failure, usage });
    records.push(record);
    return record;
  };
  if (delivery?.kind === "whole" && usage) {
    course.finished(call, now, usage.input_tokens + usage.output_tokens);
    return { kind: "whole", record: ended(null), usage };
  }
  const stopped = delivery?.kind === "interrupted" ? delivery : outcome.kind === "interrupted" ? outcome : null;
  if (stopped) {
    course.cancelled(call, now);
    ended(cancelledBy(stopped.reason, open));
    return { kind: "interrupted", reason: stopped.reason };
  }
  const failure = delivery?.kind === "broken" ? delivery.failure : outcome.kind === "failed" ? outcome.failure : null;
  if (failure === null) throw new Error("a completing call ended in no known way");
  // An answer that only does not fit is no fault of its deployment.
  if (failure.class === "cancelled") course.cancelled(call, now);
  else course.broke(call, failure, now);
  ended(failure);
  return { kind: "failed", failure };
}

/** Finds out whether a deployment goes on exactly, before it is asked to for the first time. */
async function probe(step: Call, completion: Completion, context: CompleteContext): Promise<void> {
  const { attempted, attempting } = context;
  const { clock, startedAt } = attempting;
  const { course, records } = attempted;
  const open: OpenAttempt = { call: step.call, startedAt: clock.now(), upstream: null };
  const outcome = await askWhetherItContinues(open, context.asked, attempting);
  const now = clock.now();
  const record = (failure: Failure | null, usage: Usage | null): void =>
    void records.push(recordAttempt(open, { startedAt, now, failure, usage }));
  switch (outcome.kind) {
    case "answered":
      course.finished(step.call, now, outcome.usage && outcome.usage.input_tokens + outcome.usage.output_tokens);
      completion.probed(step, outcome.continues, now);
      record(null, outcome.usage);
      break;
    case "interrupted":
      course.cancelled(step.call, now);
      record(cancelledBy(outcome.reason, open), null);
      break;
    case "failed":
      course.broke(step.call, outcome.failure, now);
      if (outcome.failure.class === "invalid_request") completion.probed(step, false, now);
      completion.failed(step, outcome.failure, now);
      record(outcome.failure, null);
  }
}

function cancelledBy(reason: Interruption, open: OpenAttempt): Failure {
  const words = {
    gone: "the client went away",
    deadline: "the request's deadline passed",
    shutdown: "the gateway is shutting down",
  };
  return {
    class: "cancelled",
    reason: words[reason],
    status: open.upstream?.status ?? null,
    code: null,
    retryAfterMs: null,
  };
}

const how: Readonly<Record<CompletionMode, string>> = {
  exact: "went on from exactly there",
  replay: "answered again, and its answer begins with the same characters",
  anew: "answered anew, since only reasoning had been sent",
  soft: "was asked to go on from the last words (softly)",
};

function noteOf(step: Call, from: string, characters: number): string {
  const did = step.do === "probe" ? "" : how[step.do];
  return `the stream from ${from} broke off after ${characters} characters; ${step.call.deployment.id} ${did}`;
}

/** Between the break and the first new word a client may have to wait: signs of life keep what is on the way from giving up. */
function beatUntilMore(reply: ClientReply, dialect: ClientDialect, sent: SentAnswer, clock: Clock): Timer {
  const before = sent.length;
  let timer: Timer;
  const beat = (): void => {
    if (sent.length !== before) return;
    reply.write(dialect.heartbeat);
    timer = clock.after(heartbeatMs, beat);
  };
  timer = clock.after(heartbeatMs, beat);
  return { cancel: () => timer.cancel() };
}
