import type { IncomingMessage, ServerResponse } from "node:http";

import { clientError, type ClientError, type Clock } from "@tuloy/contract";
import { isReadRequest, type ClientDialect, type ReadRequest } from "@tuloy/dialects";
import { primaryOf, type Health, type Plan } from "@tuloy/routing";

import type { Principal } from "../config/key-ring.ts";
import type { LiveConfig } from "../config/live.ts";
import type { Snapshot } from "../config/snapshot.ts";
import { bodyCut, discardRest, readBody } from "../http/body.ts";
import { ClientReply } from "../http/client-reply.ts";
import type { Claim } from "../idempotency/claim.ts";
import type { Claims } from "../idempotency/claims.ts";
import type { Observer } from "../observe/observer.ts";
import type { TokenCounter } from "../tokens/token-counter.ts";
import { pinned } from "../responses/pin.ts";
import type { ResponsePlaces } from "../responses/places.ts";
import type { DrillBoard } from "../upstream/drills/board.ts";
import type { Outlet } from "../upstream/outlet.ts";
import { admit, outlivesClient, unkeyed, type Admission, type AdmitContext } from "./admit.ts";
import { attempt } from "./attempt.ts";
import { authenticate } from "./authenticate.ts";
import { conclude } from "./conclude.ts";
import { countHere } from "./count-here.ts";
import type { Conclusion } from "./conclude.ts";
import { toldWhatHeldBack } from "./held-back.ts";
import type { InFlight } from "./in-flight.ts";
import { Interrupt } from "./interrupt.ts";
import { noneAllowed } from "./none-allowed.ts";
import { planFor } from "./plan.ts";
import { ask, type Asked } from "./read.ts";
import { sendError, sendReplay, startHeartbeat } from "./reply.ts";
import { traceOf, type Ending, type RequestIdentity } from "./settle.ts";
import { countEstimates, countForContext, hasEstimates } from "./token-count.ts";
import { newTraceId } from "./trace-id.ts";

/** What the data plane works with; wired once. */
export interface Relay {
  readonly config: LiveConfig;
  readonly health: Health;
  readonly outlet: Outlet;
  readonly observer: Observer;
  readonly claims: Claims;
  readonly responses: ResponsePlaces;
  readonly inFlight: InFlight;
  readonly tokens: TokenCounter;
  /**
   * What requests go by that only count a prompt: nothing is generated for them, so they may work where nothing else does, and
   * are no sign of a deployment's health.
   */
  readonly counting: Health;
  readonly clock: Clock;
  readonly random: () => number;
  readonly drills: DrillBoard;
  /** The drill in whose scope a request is carried out; null for the process's own relay. */
  readonly drill: string | null;
}

/** One client's request and its answer to be. */
interface Arrival {
  readonly message: IncomingMessage;
  readonly reply: ClientReply;
  readonly dialect: ClientDialect;
  readonly snapshot: Snapshot;
  readonly id: string;
  readonly startedAt: number;
  readonly startedAtWall: number;
  /** Stops it from outside, in whatever step it is. */
  readonly interrupt: Interrupt;
}

/**
 * A request's way, from its first byte to its trace:
 *
 *   authenticate → read → admit → plan → attempt ⟲ → stream → settle
 *
 * Every step takes a value and returns a value; an error ends the way with an answer in the client's dialect. Never rejects.
 */
export async function serve(
  message: IncomingMessage,
  response: ServerResponse,
  dialect: ClientDialect,
  relay: Relay,
): Promise<void> {
  const arrival = arrive(message, response, dialect, relay);
  const { snapshot, interrupt } = arrival;
  relay.inFlight.add(interrupt);
  let claim: Claim | null = null;
  try {
    const principal = authenticate(message.headers, snapshot.keyRing);
    if (isError(principal)) return refuse(arrival, principal);

    const body = await readBody(message, interrupt);
    if (body === bodyCut) return settle(arrival, relay, principal, cutShort);
    if (!Buffer.isBuffer(body)) return refuseKnown(arrival, relay, principal, body, nothingRead);

    const request = dialect.read(body, snapshot.idsRefused !== null);
    if (!isReadRequest(request)) return refuseKnown(arrival, relay, principal, request, nothingRead);

    const read = ask(request, principal, message.headers, snapshot);
    const bound = request.facts.bound ?? null;
    const asked =
      bound === null || bound.kept.length === 0 || isError(read)
        ? read
        : await pinned(read, bound, relay.responses, snapshot);
    if (isError(asked)) return refuseKnown(arrival, relay, principal, asked, { ...nothingRead, request });

    const key = message.headers["idempotency-key"];
    const admission: Admission =
      key === undefined ? unkeyed : await admit(asked, key, admitContext(arrival, relay, body));
    if (admission.kind === "refused") {
      return refuseKnown(arrival, relay, principal, admission.error, { request, asked, plan: null });
    }
    if (admission.kind === "replay") return replay(arrival, relay, principal, admission, asked);
    claim = admission.claim;

    const counting = countForContext(asked, relay.tokens);
    const size = counting === null ? null : await counting;
    const scoped = relay.drills.running === null ? ownState(relay, request) : underDrill(relay, asked);
    const { health, random, clock } = scoped;
    const plan = planFor(asked, { snapshot, health, random, now: clock.now(), size });
    if (primaryOf(plan) === null && request.counts === true) {
      const note = await countHere(asked, arrival.reply, arrival.id, relay.tokens);
      await claim?.end();
      const answered = { ...nothingTried, outcome: "succeeded", status: 200, code: null, notes: [note] } as const;
      return settle(arrival, scoped, principal, { request, asked, plan, ...answered });
    }
    if (primaryOf(plan) === null) {
      await claim?.end();
      return refuseKnown(arrival, scoped, principal, noneAllowed(asked, plan), { request, asked, plan });
    }

    const conclusion = await carryOut(arrival, scoped, asked, plan, claim);
    const kept = claim === null ? conclusion : withNotes(conclusion, await claim.end());
    // The answer has been given: only its trace waits for the count.
    const counted = hasEstimates(kept) ? await countEstimates(kept, asked, plan, relay.tokens) : kept;
    settle(arrival, scoped, principal, { request, asked, plan, ...counted });
  } catch (error) {
    relay.observer.fault(arrival.id, error);
    sendError(arrival.reply, dialect, ownFault(arrival.id), arrival.id, true);
    await claim?.end();
  } finally {
    relay.inFlight.delete(interrupt);
  }
}

function arrive(message: IncomingMessage, response: ServerResponse, dialect: ClientDialect, relay: Relay): Arrival {
  const { clock, config, inFlight } = relay;
  const startedAtWall = clock.wall();
  return {
    message,
    reply: new ClientReply(response, inFlight),
    dialect,
    snapshot: config.current,
    id: newTraceId(startedAtWall),
    startedAt: clock.now(),
    startedAtWall,
    interrupt: new Interrupt(),
  };
}

function ownFault(traceId: string): ClientError {
  return clientError(
    "internal_error",
    `The gateway failed on this request; its log has the reason under the trace id ${traceId}.`,
  );
}

function ownState(relay: Relay, { counts }: ReadRequest): Relay {
  return counts === true ? { ...relay, health: relay.counting } : relay;
}

/** What a request in the scope of a drill is carried out with: state and a way out of the drill's own. */
function underDrill(relay: Relay, { principal, tags }: Asked): Relay {
  const drill = relay.drills.running?.of(principal, tags) ?? null;
  return drill === null ? relay : { ...relay, health: drill.health, outlet: drill.outlet, drill: drill.id };
}

/** The attempts and the answer, under the one deadline and with an ear for the client's leaving. */
async function carryOut(
  arrival: Arrival,
  relay: Relay,
  asked: Asked,
  plan: Plan,
  claim: Claim | null,
): Promise<Conclusion> {
  const { clock, config, health, outlet, random, observer } = relay;
  const { reply, dialect, snapshot, id, startedAt, message, interrupt } = arrival;
  if (claim !== null) reply.keepWith(claim);
  if (claim !== null && outlivesClient(asked, message.headers)) reply.onGone(() => claim.clientLeft());
  else reply.onGone(() => interrupt.raise("gone"));
  // From the request's arrival, as the course counts it: reading its body and admitting it took some of the time.
  const leftMs = Math.max(0, startedAt + asked.deadlineMs - clock.now());
  const deadline = clock.after(leftMs, () => interrupt.raise("deadline"));
  const heartbeat = asked.request.facts.stream ? startHeartbeat(reply, dialect, id, clock) : null;
  try {
    const context = {
      snapshot,
      config,
      dialect,
      clientHeaders: message.headers,
      health,
      outlet,
      clock,
      random,
      interrupt,
      startedAt,
      records: [],
      fault: (error: unknown) => observer.fault(id, error),
    };
    const attempted = await attempt(asked, plan, context);
    heartbeat?.cancel();
    const told = toldWhatHeldBack(attempted, asked, plan, { snapshot, health, random, now: clock.now(), size: null });
    const concluded = conclude(told, {
      asked,
      plan,
      attempting: context,
      reply,
      dialect,
      interrupt,
      clock,
      startedAt,
      traceId: id,
      responses: relay.responses,
    });
    return concluded instanceof Promise ? await concluded : concluded;
  } finally {
    heartbeat?.cancel();
    deadline.cancel();
  }
}

function admitContext({ dialect, message, id }: Arrival, { claims }: Relay, body: Buffer): AdmitContext {
  return { claims, dialect, headers: message.headers, body, traceId: id };
}

/** Gives a request the answer that an earlier one with its idempotency key got. */
function replay(
  arrival: Arrival,
  relay: Relay,
  principal: Principal,
  { answer, from }: Extract<Admission, { kind: "replay" }>,
  asked: Asked,
): void {
  sendReplay(arrival.reply, answer, arrival.id);
  settle(arrival, relay, principal, {
    ...nothingTried,
    request: asked.request,
    asked,
    plan: null,
    outcome: "succeeded",
    status: answer.status,
    code: null,
    notes: [`the answer of trace ${from} was given again for its idempotency key; nothing was sent to a provider`],
  });
}

function withNotes(conclusion: Conclusion, notes: readonly string[]): Conclusion {
  return notes.length === 0 ? conclusion : { ...conclusion, notes: [...conclusion.notes, ...notes] };
}

/** Answers somebody unknown: no trace, since there is no one it could belong to. */
function refuse({ reply, dialect, id, message }: Arrival, error: ClientError): void {
  discardRest(message);
  sendError(reply, dialect, error, id, false);
}

const nothingTried = { passedOver: [], attempts: [], answered: null } as const;

/** The client left before its request was whole. */
const cutShort = {
  ...nothingTried,
  request: null,
  asked: null,
  plan: null,
  outcome: "cancelled",
  status: 0,
  code: null,
  notes: [],
} as const;

const nothingRead = { request: null, asked: null, plan: null } as const;

/** Answers a known sender whose request cannot be carried out, and keeps a trace of it. */
function refuseKnown(
  arrival: Arrival,
  relay: Relay,
  principal: Principal,
  error: ClientError,
  known: { readonly request: ReadRequest | null; readonly asked: Asked | null; readonly plan: Plan | null },
): void {
  refuse(arrival, error);
  settle(arrival, relay, principal, {
    ...known,
    ...nothingTried,
    outcome: "failed",
    status: error.status,
    code: error.code,
    notes: [],
  });
}

function settle(
  arrival: Arrival,
  { observer, clock, drill }: Relay,
  principal: Principal,
  ending: Omit<Ending, "durationMs">,
): void {
  const { id, startedAt, startedAtWall, snapshot, dialect } = arrival;
  const identity: RequestIdentity = {
    id,
    startedAtWall,
    principal,
    configVersion: snapshot.version,
    dialect: dialect.dialect,
    operation: dialect.operation,
    drill,
  };
  observer.finished(traceOf(identity, { ...ending, durationMs: clock.now() - startedAt }));
}

function isError(value: object): value is ClientError {
  return "code" in value && "type" in value;
}
