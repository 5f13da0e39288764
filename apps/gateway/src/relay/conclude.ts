import {
  clientError,
  type AttemptRecord,
  type ClientError,
  type Clock,
  type Exclusion,
  type Failure,
  type Outcome,
} from "@tuloy/contract";
import type { ClientDialect } from "@tuloy/dialects";
import { costUsd } from "@tuloy/catalog";
import type { Plan } from "@tuloy/routing";

import type { ClientReply } from "../http/client-reply.ts";
import type { ResponsePlaces } from "../responses/places.ts";
import { keptOnlyBy } from "../responses/unknown.ts";
import { keepAnswer, keepStream } from "../responses/keep-answer.ts";
import type { AttemptContext, Attempted, AttemptResult } from "./attempt.ts";
import { complete } from "./complete.ts";
import { pourStream, relabelFor, relabelOf, type Delivery } from "./deliver.ts";
import { estimateUsage } from "./estimate.ts";
import { answerHeaders, streamHeaders } from "./headers.ts";
import type { Interrupt, Interruption } from "./interrupt.ts";
import type { Asked } from "./read.ts";
import { recordAttempt } from "./record.ts";
import type { CompletedAnswer } from "./settle.ts";
import { sendError, sendUpstreamError, type StreamHead } from "./reply.ts";
import { summaries, surface } from "./surface.ts";

export interface ConcludeContext {
  readonly asked: Asked;
  readonly plan: Plan;
  readonly attempting: AttemptContext;
  readonly reply: ClientReply;
  readonly dialect: ClientDialect;
  readonly interrupt: Interrupt;
  readonly clock: Clock;
  readonly startedAt: number;
  readonly traceId: string;
  readonly responses: ResponsePlaces;
}

/** The same, when a stream has begun: with what it began with, as its dialect knows it. */
interface BegunContext extends ConcludeContext {
  readonly head: StreamHead;
}

/** What settling needs to know of a request that was carried out. */
export interface Conclusion {
  readonly attempts: readonly AttemptRecord[];
  readonly passedOver: readonly Exclusion[];
  readonly answered: AttemptRecord | null;
  readonly outcome: Outcome;
  readonly status: number;
  readonly code: string | null;
  readonly notes: readonly string[];
  /** The answer that the client got, where several attempts have a part in it. */
  readonly completed?: CompletedAnswer;
}

/** Gives the client what the attempts came to: an answer, a stream, or an error. Only a stream takes time. */
export function conclude(attempted: Attempted, context: ConcludeContext): Conclusion | Promise<Conclusion> {
  const { result, records } = attempted;
  switch (result.kind) {
    case "answer":
      return conclusion(concludeAnswer(result, attempted, context), attempted);
    case "stream":
      return concludeStream(result, attempted, context).then((part) => conclusion(part, attempted));
    case "empty":
      return conclusion(concludeEmpty(result, attempted, context), attempted);
    case "stopped":
      return conclusion(concludeStopped(result, records, context), attempted);
    case "held_back":
      return conclusion(failWith(result.error, context), attempted);
    case "interrupted":
      return conclusion(concludeInterrupted(result.reason, records, context), attempted);
  }
}

function conclusion(part: Part, { records, course }: Attempted): Conclusion {
  const { race, exclusions } = course;
  const notes = race && race.notes.length > 0 ? [...race.notes, ...part.notes] : part.notes;
  return { ...part, notes, attempts: records, passedOver: exclusions };
}

type Part = Omit<Conclusion, "attempts" | "passedOver">;

function concludeAnswer(
  { open, answer }: Extract<AttemptResult, { kind: "answer" }>,
  { course, records }: Attempted,
  context: ConcludeContext,
): Part {
  const { reply, clock, traceId, startedAt } = context;
  const { deployment } = open.call;
  const now = clock.now();
  course.finished(open.call, now, answer.usage ? answer.usage.input_tokens + answer.usage.output_tokens : null);
  const usage = answer.usage ?? estimateUsage(context.asked, answer.textLength);
  const headers = answerHeaders(traceId, deployment, open.call.kind, records);
  headers["content-type"] = "application/json";
  if (deployment.price) headers["x-tuloy-cost-usd"] = costUsd(deployment.price, usage).toFixed(8);
  keepAnswer(open, answer.body, context);
  reply.answer(200, headers, reported(answer.body, context));
  const record = recordAttempt(open, { startedAt, now, failure: null, usage });
  records.push(record);
  return { answered: record, outcome: "succeeded", status: 200, code: null, notes: answer.notes };
}

async function concludeStream(
  { open, stream }: Extract<AttemptResult, { kind: "stream" }>,
  attempted: Attempted,
  context: ConcludeContext,
): Promise<Part> {
  const { course, records } = attempted;
  const { reply, clock, traceId, startedAt, asked } = context;
  open.firstTokenAt = clock.now();
  reply.start(200, streamHeaders(answerHeaders(traceId, open.call.deployment, open.call.kind, records)));
  const state = keepStream(open, stream, context);
  const delivery = await pourStream(
    stream,
    reply,
    context.attempting,
    relabelOf(asked, context.dialect, open.spoken ?? open.call.deployment),
  );
  const now = clock.now();
  const { seen } = stream;
  const usage = seen?.usage ?? estimateUsage(asked, stream.written);
  const ended = (failure: Failure | null): AttemptRecord => {
    const record = recordAttempt(open, { startedAt, now, failure, usage });
    records.push(record);
    return record;
  };
  const notes = seen?.notes ?? [];
  const begun = (): BegunContext => ({ ...context, head: seen?.head ?? null });
  switch (delivery.kind) {
    case "whole":
      course.finished(open.call, now, usage.input_tokens + usage.output_tokens);
      return { answered: ended(null), outcome: "succeeded", status: 200, code: null, notes };
    case "broken": {
      course.broke(open.call, delivery.failure, now);
      const record = ended(delivery.failure);
      const sent = seen?.sent ?? null;
      state?.drop();
      if (sent === null) return reportBreak(delivery, null, record, notes, records, begun());
      const { plan, attempting } = context;
      const completed = await complete(
        { open, stream, sent, failure: delivery.failure },
        { asked, plan, attempted, attempting, reply },
      );
      switch (completed.kind) {
        case "whole":
          return {
            answered: completed.record,
            outcome: "succeeded",
            status: 200,
            code: null,
            notes: [...notes, completed.note],
            completed: { usage: completed.usage, first_token_ms: record.first_token_ms },
          };
        case "broken":
          return reportBreak(delivery, completed.why, record, notes, records, begun());
        case "interrupted":
          return reportInterruption(completed.reason, record, notes, records, begun());
      }
    }
    case "interrupted": {
      course.cancelled(open.call, now);
      const failure: Failure = {
        class: "cancelled",
        reason: interruptionReason(delivery.reason),
        status: 200,
        code: null,
        retryAfterMs: null,
      };
      return reportInterruption(delivery.reason, ended(failure), notes, records, begun());
    }
  }
}

/** A JSON answer as the route reports its model. */
function reported(body: Buffer, { asked, dialect }: ConcludeContext): Buffer {
  return asked.route.reportModel === "answered" ? body : dialect.relabel(body, asked.request.model);
}

/** A stream that was stopped from outside: who is still there hears why. */
function reportInterruption(
  reason: Interruption,
  answered: AttemptRecord,
  notes: readonly string[],
  records: readonly AttemptRecord[],
  { reply, dialect, traceId, head }: BegunContext,
): Part {
  if (reason === "gone") return { answered, outcome: "cancelled", status: 200, code: null, notes };
  const error = interruptionError(reason, records);
  sendError(reply, dialect, error, traceId, true, head);
  return { answered, outcome: "broken", status: 200, code: error.code, notes };
}

/**
 * A stream that broke and that nobody completed is never passed off as whole: an error event that the official SDKs raise on,
 * then the end, without the terminator.
 * @param why why nobody completed it; null: the route does not want it
 */
function reportBreak(
  { failure }: Extract<Delivery, { kind: "broken" }>,
  why: string | null,
  answered: AttemptRecord,
  notes: readonly string[],
  records: readonly AttemptRecord[],
  { reply, dialect, traceId, head }: BegunContext,
): Part {
  const reason = why === null ? "" : ` It was not completed: ${why}.`;
  // Some providers' own words end with a full stop, others' do not.
  const message = `The answer broke off and is not whole: ${failure.reason.replace(/\.$/, "")}.${reason}`;
  const error = clientError("stream_broken", message, { attempts: summaries(records) });
  sendError(reply, dialect, error, traceId, true, head);
  return {
    answered,
    outcome: "broken",
    status: 200,
    code: error.code,
    notes: why === null ? notes : [...notes, `not completed: ${why}`],
  };
}

function concludeEmpty(
  result: Extract<AttemptResult, { kind: "empty" }>,
  { records }: Attempted,
  context: ConcludeContext,
): Part {
  const { reply, traceId, asked } = context;
  const { record, body } = result;
  const headers = answerHeaders(traceId, record, record.kind, records.slice(0, records.indexOf(record)));
  headers["x-tuloy-attempts"] = String(records.length);
  if (asked.request.facts.stream) {
    reply.start(200, streamHeaders(headers));
    const relabel = relabelFor(asked, context.dialect);
    reply.complete(relabel === null ? body : Buffer.concat(relabel.push(body)));
  } else {
    headers["content-type"] = "application/json";
    reply.answer(200, headers, reported(body, context));
  }
  return {
    answered: record,
    outcome: "succeeded",
    status: 200,
    code: null,
    notes: ["every answer was empty; the first one was passed on"],
  };
}

function concludeStopped(
  { stop }: Extract<AttemptResult, { kind: "stopped" }>,
  records: readonly AttemptRecord[],
  { reply, dialect, traceId, asked }: ConcludeContext,
): Part {
  const surfaced = surface(stop, records);
  if (surfaced.kind === "own") {
    const { error } = surfaced;
    const message = asked.onlyKey === null ? error.message : `${error.message} ${keptOnlyBy(asked.lock ?? "")}`;
    return failWith({ ...error, message }, { reply, dialect, traceId });
  }
  const { response, failure } = surfaced;
  if (reply.started)
    return failWith(
      clientError("invalid_request", failure.reason, { attempts: summaries(records), status: response.status }),
      { reply, dialect, traceId },
    );
  sendUpstreamError(reply, response, traceId, records.length);
  return { answered: null, outcome: "failed", status: response.status, code: failure.code ?? failure.class, notes: [] };
}

function concludeInterrupted(
  reason: Interruption,
  records: readonly AttemptRecord[],
  { reply, dialect, traceId }: ConcludeContext,
): Part {
  if (reason === "gone") return { answered: null, outcome: "cancelled", status: reply.status, code: null, notes: [] };
  return failWith(interruptionError(reason, records), { reply, dialect, traceId });
}

function failWith(
  error: ClientError,
  { reply, dialect, traceId }: Pick<ConcludeContext, "reply" | "dialect" | "traceId">,
): Part {
  const status = reply.started ? reply.status : error.status;
  sendError(reply, dialect, error, traceId, true);
  return { answered: null, outcome: "failed", status, code: error.code, notes: [] };
}

function interruptionError(reason: Exclude<Interruption, "gone">, records: readonly AttemptRecord[]): ClientError {
  const attempts = summaries(records);
  return reason === "deadline"
    ? clientError("deadline_exceeded", "The request's deadline passed before the answer was whole.", { attempts })
    : clientError("shutting_down", "The gateway is shutting down; send the request again.", {
        attempts,
        retryAfterMs: 1000,
      });
}

function interruptionReason(reason: Interruption): string {
  if (reason === "gone") return "the client went away";
  return reason === "deadline" ? "the request's deadline passed" : "the gateway is shutting down";
}
