import type { RateLimits } from "@tuloy/contract";

import { AnnouncedLimits, inputOf } from "./announced.ts";
import type { Taken } from "./announced.ts";
import type { KeyEffect } from "./effects.ts";
import { isUsable, newKeyState, obstacle, slotOf } from "./key-state.ts";
import type { Comeback, Demand, KeySpec, KeyState, Slot } from "./key-state.ts";

/** What a call showed about its key: it worked, or what to do with it. */
export type KeyReport = "ok" | KeyEffect;

/** One use of one key, from the start of a call to its end. */
export interface KeyLease {
  /** The key's name; `none` for a provider without keys. Never its value. */
  readonly name: string;
  /** The provider said with its answer what is left of the key's budgets. */
  announce(limits: RateLimits, now: number): void;
  /** Ends the use. Later calls do nothing. `tokens`: what was really used, or null when unknown: what was charged stays. */
  release(now: number, tokens: number | null): void;
}

/** Called with the provider's name and the key's. */
export type KeyEvent = (provider: string, key: string) => void;

export interface KeyPoolOptions {
  readonly random: () => number;
  readonly onQuarantined?: KeyEvent | undefined;
  readonly onRestored?: KeyEvent | undefined;
}

/** `tokens` are charged against `tpm` until the release, but never more than the whole limit. */
export interface AcquireOptions extends Demand {
  /** Names of keys that this request must not use again. */
  readonly exclude?: ReadonlySet<string> | undefined;
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const disabledMs = 10 * minute;
/** A 403 is about this key's rights to this model: it lasts until somebody changes them. */
const forbiddenCoolMs = minute;
/** Without a Retry-After: 1 s, doubled each time in a row. */
const shortestCoolMs = second;
const longestGuessedCoolMs = 16 * second;
/** A longer Retry-After is not believed for longer: asking once an hour costs nothing. */
const longestCoolMs = hour;
/** A learned limit that nothing confirmed for this long is forgotten. */
const adaptiveMemoryMs = 5 * minute;
/** Far more than any budget, and small enough that sums of it stay exact. */
const mostTokens = 1e9;
const noKey: KeySpec = {
  name: "none",
  identity: "none",
  weight: 1,
  limits: { rpm: null, tpm: null, concurrency: null },
};

class LiveLease implements KeyLease {
  readonly key: KeyState;
  readonly slot: Slot;
  readonly takenAt: number;
  readonly #charged: number;
  /** The slot's count when this was taken, itself included: what was taken later is not in what its answer announces. */
  readonly #requestsTaken: number;
  readonly #tokensTaken: number;
  readonly #inputTokensTaken: number;
  #released = false;
  succeeded = false;

  constructor(key: KeyState, slot: Slot, takenAt: number, demand: Demand) {
    this.key = key;
    this.slot = slot;
    this.takenAt = takenAt;
    const { tokens = 0 } = demand;
    const { taken } = slot;
    this.#requestsTaken = taken.requests += 1;
    this.#tokensTaken = taken.tokens += Math.min(tokens, mostTokens);
    this.#inputTokensTaken = taken.inputTokens += Math.min(inputOf(demand), mostTokens);
    const { rpm, tpm } = key.spec.limits;
    // More would keep the key closed for no reason: a limit is no emptier than empty.
    this.#charged = tpm === null ? 0 : Math.min(tokens, tpm);
    key.inFlight += 1;
    slot.inFlight += 1;
    if (rpm !== null) key.requests.add(takenAt, 1);
    if (tpm !== null) key.tokens.add(takenAt, this.#charged);
    if (key.quarantine !== null) key.quarantine.trialAt = takenAt;
    if (slot.disabled !== null) slot.disabled.trialAt = takenAt;
  }

  get name(): string {
    return this.key.spec.name;
  }

  announce(limits: RateLimits, now: number): void {
    const before: Taken = {
      requests: this.#requestsTaken,
      tokens: this.#tokensTaken,
      inputTokens: this.#inputTokensTaken,
    };
    if (this.slot.announced?.isNewerThan(before) === true) return;
    this.slot.announced = new AnnouncedLimits(limits, before, now);
  }

  release(_now: number, tokens: number | null): void {
    if (!this.#end()) return;
    if (tokens !== null && this.key.spec.limits.tpm !== null) this.key.tokens.add(this.takenAt, tokens - this.#charged);
  }

  #end(): boolean {
    if (this.#released) return false;
    this.#released = true;
    this.key.inFlight -= 1;
    this.slot.inFlight -= 1;
    freeTrial(this.key.quarantine, this.takenAt);
    freeTrial(this.slot.disabled, this.takenAt);
    return true;
  }
}

function freeTrial(comeback: Comeback | null, startedAt: number): void {
  if (comeback !== null && comeback.trialAt === startedAt) comeback.trialAt = null;
}

function takes(key: KeyState, deploymentId: string, now: number, options: AcquireOptions): boolean {
  if (options.exclude?.has(key.spec.name) === true) return false;
  return isUsable(key, slotOf(key, deploymentId), now, options);
}

/** What can be seen of one key at one deployment. Never its value. */
export interface KeyView {
  readonly name: string;
  /** Why it takes no call now, in words; null: it does. */
  readonly obstacle: string | null;
  /** Milliseconds until then; 0: now; null when time alone does not tell. */
  readonly freeInMs: number | null;
  /** Calls under way with it at this deployment. */
  readonly inFlight: number;
}

/**
 * The keys of one provider and what was learned about each: shared by all requests, kept across configuration changes.
 * A provider that needs no key has one, named `none`, so that nothing else must know the difference.
 */
export class KeyPool {
  readonly #provider: string;
  readonly #options: KeyPoolOptions;
  #keys: readonly KeyState[] = [newKeyState(noKey)];

  constructor(provider: string, options: KeyPoolOptions) {
    this.#provider = provider;
    this.#options = options;
  }

  /** Takes over the configured keys. A key whose name and identity are unchanged keeps its state. */
  reconcile(specs: readonly KeySpec[]): void {
    const before = new Map(this.#keys.map((key) => [key.spec.name, key]));
    this.#keys = (specs.length === 0 ? [noKey] : specs).map((spec) => {
      const known = before.get(spec.name);
      if (known === undefined || known.spec.identity !== spec.identity) return newKeyState(spec);
      known.spec = spec;
      return known;
    });
  }

  /** One usable key, chosen by weight, or null. The lease must be released. */
  acquire(deploymentId: string, now: number, options: AcquireOptions = {}): KeyLease | null {
    let weight = 0;
    let usable = 0;
    let chosen: KeyState | null = null;
    for (const key of this.#keys) {
      if (!takes(key, deploymentId, now, options)) continue;
      weight += key.spec.weight;
      usable += 1;
      chosen = key;
    }
    if (usable > 1) {
      let left = this.#options.random() * weight;
      for (const key of this.#keys) {
        if (!takes(key, deploymentId, now, options)) continue;
        chosen = key;
        left -= key.spec.weight;
        if (left < 0) break;
      }
    }
    return chosen === null ? null : new LiveLease(chosen, slotOf(chosen, deploymentId), now, options);
  }

  /** Whether `acquire` would give a key. Takes nothing. */
  usable(deploymentId: string, now: number, options: AcquireOptions = {}): boolean {
    return this.#keys.some((key) => takes(key, deploymentId, now, options));
  }

  /** Why no key is usable, in words for the trace: `key a is cooling for 3 s; key b is quarantined for 42 s`. Empty: one is. */
  why(deploymentId: string, now: number, options: AcquireOptions = {}): string {
    const words: string[] = [];
    for (const key of this.#keys) {
      const found = obstacle(key, slotOf(key, deploymentId), now, options);
      if (found === null) return "";
      words.push(`key ${key.spec.name} is ${found.words}`);
    }
    return words.join("; ");
  }

  /** How long until some key is usable again, in milliseconds (0: now); null when time alone does not tell. */
  msUntilUsable(deploymentId: string, now: number, options: AcquireOptions = {}): number | null {
    let soonest: number | null = null;
    for (const key of this.#keys) {
      const found = obstacle(key, slotOf(key, deploymentId), now, options);
      if (found === null) return 0;
      if (found.forMs !== null) soonest = Math.min(soonest ?? Infinity, found.forMs);
    }
    return soonest;
  }

  /** What can be seen of each key at a deployment. */
  view(deploymentId: string, now: number): KeyView[] {
    return this.#keys.map((key) => {
      const slot = slotOf(key, deploymentId);
      const found = obstacle(key, slot, now, { tokens: 1 });
      return {
        name: key.spec.name,
        obstacle: found?.words ?? null,
        freeInMs: found === null ? 0 : found.forMs,
        inFlight: slot.inFlight,
      };
    });
  }

  /**
   * What a call showed about its key, before the lease is released.
   * @param retryAfterMs what the provider asked for, or null
   */
  report(lease: KeyLease, report: KeyReport, now: number, retryAfterMs: number | null): void {
    if (!(lease instanceof LiveLease)) return;
    switch (report) {
      case "ok":
        this.#succeeded(lease, now);
        return;
      case "throttle":
        lowerConcurrency(lease.slot, now);
        cool(lease.slot, now, retryAfterMs);
        return;
      case "cool":
        coolUntil(lease.slot, now + Math.max(forbiddenCoolMs, Math.min(retryAfterMs ?? 0, longestCoolMs)));
        return;
      case "wait":
        coolUntil(lease.slot, now + Math.min(retryAfterMs ?? 0, longestCoolMs));
        return;
      case "quarantine":
        this.#quarantine(lease, now);
        return;
      case "disable":
        lease.slot.disabled = { until: now + disabledMs, level: 0, trialAt: null };
        return;
      case "none":
        return;
    }
  }

  #succeeded(lease: LiveLease, now: number): void {
    if (lease.succeeded) return;
    lease.succeeded = true;
    const { key, slot } = lease;
    slot.coolings = 0;
    if (slot.adaptiveLimit !== Infinity) raiseConcurrency(slot, now);
    // Only its trial brings a key back: a call that began before the quarantine proves nothing about now.
    if (slot.disabled?.trialAt === lease.takenAt) slot.disabled = null;
    if (key.quarantine?.trialAt === lease.takenAt) {
      key.quarantine = null;
      this.#options.onRestored?.(this.#provider, key.spec.name);
    }
  }

  #quarantine(lease: LiveLease, now: number): void {
    const { key } = lease;
    const before = key.quarantine;
    // Calls that were in flight when it was quarantined: known already, and no failed trial.
    if (before !== null && before.trialAt !== lease.takenAt) return;
    const level = before === null ? 0 : before.level + 1;
    key.quarantine = { until: now + Math.min(hour, minute * 2 ** level), level, trialAt: null };
    if (before === null) this.#options.onQuarantined?.(this.#provider, key.spec.name);
  }
}

function cool(slot: Slot, now: number, retryAfterMs: number | null): void {
  if (retryAfterMs !== null) {
    coolUntil(slot, now + Math.min(retryAfterMs, longestCoolMs));
    return;
  }
  // Calls that fail together are one sign, not many.
  if (now < slot.cooledUntil) return;
  coolUntil(slot, now + Math.min(longestGuessedCoolMs, shortestCoolMs * 2 ** slot.coolings));
  slot.coolings += 1;
}

/** A longer cooldown is never shortened by a later shorter one. */
function coolUntil(slot: Slot, until: number): void {
  slot.cooledUntil = Math.max(slot.cooledUntil, until);
}

/** Half of what was in flight when the provider said "too many"; once per cooldown and second, since a burst fails together. */
function lowerConcurrency(slot: Slot, now: number): void {
  if (now < slot.cooledUntil || now - slot.throttledAt < second) return;
  slot.adaptiveLimit = Math.max(1, Math.floor(Math.min(slot.adaptiveLimit, slot.inFlight) / 2));
  slot.throttledAt = now;
}

/** One more per full round of successes, as TCP does, until the memory of the rate limit has faded. */
function raiseConcurrency(slot: Slot, now: number): void {
  slot.adaptiveLimit =
    now - slot.throttledAt >= adaptiveMemoryMs ? Infinity : slot.adaptiveLimit + 1 / slot.adaptiveLimit;
}
