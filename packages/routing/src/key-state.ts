import type { KeyLimits } from "@tuloy/contract";

import type { AnnouncedLimits, Need } from "./announced.ts";
import { RollingSum } from "./window.ts";

/** One provider key as the pool needs it: its secret stays outside. */
export interface KeySpec {
  readonly name: string;
  /** A digest of the secret: state is kept across a configuration change only while name and identity stay the same. */
  readonly identity: string;
  /** Relative share of the calls, above 0. */
  readonly weight: number;
  readonly limits: KeyLimits;
  /** Whom it is kept for; absent or null: for everybody. */
  readonly reserved?: KeyReservation | null;
}

/** Whom a key is kept for: both must hold. Null: any. */
export interface KeyReservation {
  readonly environments: ReadonlySet<string> | null;
  readonly workspaces: ReadonlySet<string> | null;
}

/** Who asks, as far as keys can be reserved. */
export interface Caller {
  readonly workspace: string;
  readonly environment: string;
}

/** What a call asks of a key. */
export interface Demand extends Need {
  /** Look past the learned concurrency, for a request that has nowhere else to go. The limits of the configuration hold. */
  readonly ignoreAdaptive?: boolean | undefined;
  /** Look past what the provider announced, when the choice is between that and failing: an announcement may be wrong. */
  readonly ignoreAnnounced?: boolean | undefined;
  /** Who asks, for keys that are reserved. Absent: the gateway itself, which may use every key. */
  readonly caller?: Caller | undefined;
  /** The name of the only key that can be used: what the request goes on from is kept under it. Absent or null: any. */
  readonly onlyKey?: string | null | undefined;
}

/** Why a key cannot be used now, in words, and for how long if time alone helps. */
export interface Obstacle {
  readonly words: string;
  /** Milliseconds, or null when time alone does not help (calls in flight must end). */
  readonly forMs: number | null;
}

/** A blocked key or slot that comes back by exactly one trial. */
export interface Comeback {
  until: number;
  /** Failed trials in a row. */
  level: number;
  /** When the trial under way began, or null. */
  trialAt: number | null;
}

/** What is known about one key at one deployment. */
export interface Slot {
  cooledUntil: number;
  /** Coolings without a stated time, in a row. */
  coolings: number;
  disabled: Comeback | null;
  inFlight: number;
  /** Calls at a time that the provider seems to take; Infinity until it rate-limits. */
  adaptiveLimit: number;
  throttledAt: number;
  /** What calls took, by our own count: only ever grows. */
  readonly taken: { requests: number; tokens: number; inputTokens: number };
  /** What the provider said was left, with its last answer; null until it says something. */
  announced: AnnouncedLimits | null;
}

/** What is known about one key. */
export interface KeyState {
  spec: KeySpec;
  quarantine: Comeback | null;
  inFlight: number;
  requests: RollingSum;
  tokens: RollingSum;
  readonly slots: Map<string, Slot>;
}

/** A trial that never ended frees its place after this long. */
const trialExpiryMs = 10 * 60_000;
const bucketMs = 5000;
/** A minute, plus one bucket because the newest is only partly filled: so no minute ever holds more than the limit. */
const bucketsPerMinute = 60_000 / bucketMs + 1;

export function newKeyState(spec: KeySpec): KeyState {
  return {
    spec,
    quarantine: null,
    inFlight: 0,
    requests: new RollingSum(bucketMs, bucketsPerMinute),
    tokens: new RollingSum(bucketMs, bucketsPerMinute),
    slots: new Map(),
  };
}

/** The slot of a deployment, made on first use. */
export function slotOf(key: KeyState, deploymentId: string): Slot {
  let slot = key.slots.get(deploymentId);
  if (slot === undefined) {
    slot = {
      cooledUntil: 0,
      coolings: 0,
      disabled: null,
      inFlight: 0,
      adaptiveLimit: Infinity,
      throttledAt: -Infinity,
      taken: { requests: 0, tokens: 0, inputTokens: 0 },
      announced: null,
    };
    key.slots.set(deploymentId, slot);
  }
  return slot;
}

/** Whether a comeback keeps everything but its one trial out. */
function blocks(comeback: Comeback | null, now: number): boolean {
  if (comeback === null) return false;
  return now < comeback.until || trialRuns(comeback, now);
}

function trialRuns(comeback: Comeback, now: number): boolean {
  return comeback.trialAt !== null && now < comeback.trialAt + trialExpiryMs;
}

/** Whether the key can take a call now: the check of the hot path, without words. */
export function isUsable(key: KeyState, slot: Slot, now: number, demand: Demand): boolean {
  const { rpm, tpm, concurrency } = key.spec.limits;
  return (
    now >= slot.cooledUntil &&
    !blocks(key.quarantine, now) &&
    !blocks(slot.disabled, now) &&
    isFor(key.spec, demand.caller) &&
    (demand.onlyKey === undefined || demand.onlyKey === null || demand.onlyKey === key.spec.name) &&
    (demand.ignoreAdaptive === true || slot.inFlight < slot.adaptiveLimit) &&
    (concurrency === null || key.inFlight < concurrency) &&
    (rpm === null || key.requests.total(now) < rpm) &&
    (tpm === null || hasRoomForTokens(key, tpm, demand.tokens ?? 0, now)) &&
    (slot.announced === null || demand.ignoreAnnounced === true || slot.announced.hasRoom(demand, slot.taken, now))
  );
}

function isFor({ reserved }: KeySpec, caller: Caller | undefined): boolean {
  if (reserved === undefined || reserved === null || caller === undefined) return true;
  const { environments, workspaces } = reserved;
  return (
    (environments === null || environments.has(caller.environment)) &&
    (workspaces === null || workspaces.has(caller.workspace))
  );
}

/** A request larger than the whole limit goes when the key is idle: otherwise it could never be sent. */
function hasRoomForTokens(key: KeyState, tpm: number, tokens: number, now: number): boolean {
  return key.tokens.total(now) + Math.min(tokens, tpm) <= tpm;
}

/** The first thing that keeps a key from being used, for the trace; null: nothing does. */
export function obstacle(key: KeyState, slot: Slot, now: number, demand: Demand): Obstacle | null {
  const { rpm, tpm, concurrency } = key.spec.limits;
  const { tokens = 0 } = demand;
  if (!isFor(key.spec, demand.caller)) return { words: "reserved for others", forMs: null };
  if ((demand.onlyKey ?? key.spec.name) !== key.spec.name)
    return { words: "not the one that what the request goes on from is kept under", forMs: null };
  const back =
    comebackObstacle(key.quarantine, "quarantined", now) ?? comebackObstacle(slot.disabled, "disabled here", now);
  if (back !== null) return back;
  if (now < slot.cooledUntil) return timed("cooling", slot.cooledUntil - now);
  if (rpm !== null && key.requests.total(now) >= rpm) {
    return timed(`at its ${rpm} requests a minute`, key.requests.msUntilAtMost(rpm - 1, now));
  }
  if (tpm !== null && !hasRoomForTokens(key, tpm, tokens, now)) {
    return timed(`at its ${tpm} tokens a minute`, key.tokens.msUntilAtMost(tpm - Math.min(tokens, tpm), now));
  }
  if (concurrency !== null && key.inFlight >= concurrency) {
    return { words: `at its ${concurrency} requests in flight`, forMs: null };
  }
  const shortage = slot.announced?.shortage(demand, slot.taken, now) ?? null;
  if (shortage !== null) return timed(shortage.words, shortage.forMs);
  if (slot.inFlight >= slot.adaptiveLimit) {
    return { words: `held to ${Math.floor(slot.adaptiveLimit)} requests in flight after rate limits`, forMs: null };
  }
  return null;
}

function comebackObstacle(comeback: Comeback | null, what: string, now: number): Obstacle | null {
  if (comeback === null || !blocks(comeback, now)) return null;
  return now < comeback.until ? timed(what, comeback.until - now) : { words: `${what}, on trial`, forMs: null };
}

function timed(what: string, forMs: number): Obstacle {
  return { words: `${what} for ${Math.ceil(forMs / 1000)} s`, forMs };
}
