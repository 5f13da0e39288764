import type { AttemptRecord, Clock, Deployment, Dialect, Failure } from "@tuloy/contract";
import { laneFor, type ReadRequest } from "@tuloy/dialects";
import type { Health } from "@tuloy/routing";

import type { Snapshot } from "../config/snapshot.ts";
import type { CallOutcome } from "./attempt.ts";
import { wholeObstacle } from "./lane.ts";
import { recordAttempt, type OpenAttempt } from "./record.ts";
import { otherwiseSpoken, spokenNow } from "./spoken.ts";
import type { UpstreamCall } from "./upstream-call.ts";

type Failed = Extract<CallOutcome, { kind: "failed" }>;

/** A call whose server has no path for the dialect in which it was asked. */
export interface Misasked {
  readonly request: ReadRequest;
  readonly open: OpenAttempt;
  readonly context: {
    readonly snapshot: Snapshot;
    readonly health: Health;
    readonly clock: Clock;
    readonly startedAt: number;
    readonly records: AttemptRecord[];
  };
  /** Makes the call anew, in what `open` says that the deployment speaks. */
  readonly make: (settle: (outcome: CallOutcome) => void) => UpstreamCall;
  readonly settle: (outcome: CallOutcome) => void;
  readonly faulty: (error: unknown) => CallOutcome;
}

/**
 * An older version of a server has no path for a dialect that its kind speaks. It is asked in another at once, as part of the same
 * attempt, since neither deployment nor request is at fault: it counts against no breaker and takes no attempt away. What it answers
 * to decides what is believed of it from then on.
 */
export function askOtherwise(outcome: Failed, misasked: Misasked): void {
  const { request, open, context, settle } = misasked;
  const { health, clock, records, startedAt } = context;
  const { failure } = outcome;
  const asked = open.spoken ?? spokenNow(open.call.deployment, context);
  const other = otherwiseSpoken(request, asked);
  const from = dialectOf(request, asked);
  const into = other === null ? null : dialectOf(request, other);
  if (other === null || from === null || into === null) return settle(outcome);
  const now = clock.now();
  const obstacle = wholeObstacle(request, other, context.snapshot);
  if (obstacle !== null || !health.unspoken.mayAskOtherwise(other.id, from, now)) {
    const hint = `where this server does not speak ${from}, write dialect: ${into} at its model`;
    return settle({ ...outcome, failure: withWords(failure, hint) });
  }
  const detour = withWords(
    failure,
    `asked in ${into} instead; write dialect: ${into} at this model to have it so at once`,
  );
  records.push(recordAttempt(open, { startedAt, now, failure: detour, usage: null }));
  open.startedAt = now;
  open.spoken = other;
  try {
    const upstream = misasked.make((again) => {
      if (speaks(again)) health.unspoken.learn(other.id, from, clock.now());
      else if (again.kind === "failed" && again.failure.missingPath === true)
        health.unspoken.askedInVain(other.id, from, clock.now());
      settle(again);
    });
    open.upstream = upstream;
    upstream.start();
  } catch (error) {
    settle(misasked.faulty(error));
  }
}

/**
 * A deployment as a request is to be asked of it now. What was found out after the plan was made must not lead into a dialect that has no
 * words for the request: then it is asked as planned, and fails as it would have.
 */
export function spokenFor(
  request: ReadRequest,
  deployment: Deployment,
  context: Pick<Misasked["context"], "snapshot" | "health" | "clock">,
): Deployment {
  const spoken = spokenNow(deployment, context);
  return spoken === deployment || wholeObstacle(request, spoken, context.snapshot) === null ? spoken : deployment;
}

/** Whether it understood what it was asked, be it to refuse it. */
function speaks(outcome: CallOutcome): boolean {
  if (outcome.kind !== "failed") return outcome.kind !== "interrupted";
  const { status, missingPath } = outcome.failure;
  return status !== null && status < 500 && missingPath !== true;
}

/** For the trace: that a deployment is not asked in its kind's dialect, and why. */
export function spokenNote(request: ReadRequest, deployment: Deployment, spoken: Deployment): string {
  const [from, into] = [dialectOf(request, deployment), dialectOf(request, spoken)];
  return `asked in ${into}, since it was found to have no path for ${from}; write dialect: ${into} at this model to have it so for good`;
}

function dialectOf({ dialect }: ReadRequest, deployment: Deployment): Dialect | null {
  return laneFor(dialect, deployment)?.dialect ?? null;
}

function withWords(failure: Failure, words: string): Failure {
  return { ...failure, reason: `${failure.reason}; ${words}` };
}
