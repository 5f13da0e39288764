import { failureClasses } from "@tuloy/contract";
import type { Deployment, FailureClass, LimitPolicy } from "@tuloy/contract";
import { deployment } from "@tuloy/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Call, Stop } from "./attempt.ts";
import type { Course } from "./course.ts";
import { course, failure, open, spendRetries, steadyHealth } from "./fixtures.test-data.ts";
import type { Health } from "./health.ts";
import { failoverPreset } from "./presets.ts";

/** What one call comes to when nobody ends it before, and how long that takes. */
interface Fate {
  readonly comesTo: FailureClass | "answer" | "silence";
  readonly takesMs: number;
}

/** One call as the walk saw it. */
interface Ran {
  readonly call: Call;
  readonly at: number;
  /** Which others were running when it began, and whether its breaker was closed. */
  readonly beside: readonly Call[];
  readonly closed: boolean;
  endedAt: number;
  end: "won" | "lost" | "failed" | "left";
  /** It was running when its limit passed. */
  late: boolean;
  endsAt: number;
  limitAt: number;
  readonly fate: Fate;
}

interface Walked {
  readonly ran: readonly Ran[];
  readonly stop: Stop | null;
  readonly left: boolean;
}

/** Drives a course as the relay does: whatever comes first happens first. */
class Walk {
  readonly ran: Ran[] = [];
  #running: Ran[] = [];
  #hedgeAt = Infinity;
  #stop: Stop | null = null;
  #left = false;
  #won = false;
  readonly #way: Course;
  readonly #fates: readonly Fate[];
  readonly #until: number;
  #now: number;

  constructor(way: Course, fates: readonly Fate[], time: { readonly start: number; readonly until: number }) {
    this.#way = way;
    this.#fates = fates;
    this.#now = time.start;
    this.#until = time.until;
  }

  toItsEnd(): Walked {
    for (let steps = 0; ; steps++) {
      if (steps > 10_000) throw new Error("the request never ended");
      if (this.#running.length === 0 && !this.#nextCall()) break;
      if (this.#running.length > 0) this.#nextEvent();
      if (this.#won || this.#left) break;
    }
    return { ran: this.ran, stop: this.#stop, left: this.#left };
  }

  #nextCall(): boolean {
    for (;;) {
      const step = this.#way.next(this.#now);
      if (step.do === "stop") {
        this.#stop = step.stop;
        return false;
      }
      if (step.do === "call") {
        this.#start(step.call);
        this.#goOn();
        return true;
      }
      if (this.#now + step.ms >= this.#until) return this.#leave();
      this.#now += step.ms;
    }
  }

  #start(call: Call): void {
    const closed = call.permit.kind === "closed";
    const fate = this.#fates[this.ran.length % this.#fates.length] ?? { comesTo: "silence", takesMs: 0 };
    const endsAt = fate.comesTo === "silence" ? Infinity : this.#now + fate.takesMs;
    const limitAt = this.#now + call.firstTokenMs;
    const beside = this.#running.map((other) => other.call);
    countReleases(call);
    const ran: Ran = {
      call,
      at: this.#now,
      beside,
      closed,
      endedAt: Infinity,
      end: "left",
      late: false,
      endsAt,
      limitAt,
      fate,
    };
    this.ran.push(ran);
    this.#running.push(ran);
  }

  #goOn(): void {
    this.#hedgeAt = Infinity;
    while (this.#running.length > 0 && this.#way.race !== null) {
      const step = this.#way.race.beside(this.#now);
      if (step.do === "await") {
        if (step.ms !== null) this.#hedgeAt = this.#now + step.ms;
        return;
      }
      if (step.do === "call") {
        this.#start(step.call);
      } else {
        this.#way.race.abandon(this.#now);
        for (const loser of this.#running) this.#end(loser, "lost");
      }
    }
  }

  #nextEvent(): void {
    const soonest = this.#running.reduce((one, other) => (due(other) < due(one) ? other : one));
    const at = Math.min(due(soonest), this.#hedgeAt);
    if (at >= this.#until) {
      this.#leave();
      return;
    }
    this.#now = at;
    if (this.#hedgeAt <= due(soonest)) this.#goOn();
    else if (soonest.endsAt <= soonest.limitAt) this.#comeTo(soonest);
    else this.#limit(soonest);
  }

  #comeTo(ran: Ran): void {
    if (ran.fate.comesTo === "answer") {
      this.#way.race?.won(ran.call, this.#now);
      this.#end(ran, "won");
      this.#won = true;
      for (const loser of this.#running) this.#end(loser, "lost");
      this.#way.committed(ran.call, this.#now, this.#now - ran.at);
      this.#way.finished(ran.call, this.#now, 10);
    } else if (ran.fate.comesTo !== "silence") {
      this.#way.failed(ran.call, failure(ran.fate.comesTo), this.#now);
      this.#end(ran, "failed");
      this.#goOn();
    }
  }

  #limit(ran: Ran): void {
    ran.late = true;
    ran.limitAt = this.#now + ran.call.firstTokenMs;
    const { race } = this.#way;
    const cut =
      race === null ? (this.#way.canMoveOn(this.#now) ? ran.call : null) : race.limitPassed(ran.call, this.#now);
    if (race === null && cut === null) this.#way.slow(ran.call, this.#now);
    const toCut = this.#running.find(({ call }) => call === cut);
    if (toCut) {
      this.#way.failed(toCut.call, failure("first_token_timeout"), this.#now);
      this.#end(toCut, "failed");
    }
    this.#goOn();
  }

  #leave(): false {
    this.#now = this.#until;
    this.#left = true;
    if (this.#running.length === 0) this.#way.cancelled(null, this.#now);
    for (const ran of this.#running) {
      this.#way.cancelled(ran.call, this.#now);
      this.#end(ran, "left");
    }
    return false;
  }

  #end(ran: Ran, end: Ran["end"]): void {
    ran.end = end;
    ran.endedAt = this.#now;
    this.#running = this.#running.filter((other) => other !== ran);
  }
}

/** How often each call's key was released. */
const releases = new WeakMap<Call, number>();

function countReleases(call: Call): void {
  const release = call.key.release.bind(call.key);
  releases.set(call, 0);
  call.key.release = (...given) => {
    releases.set(call, (releases.get(call) ?? 0) + 1);
    release(...given);
  };
}

function due({ endsAt, limitAt }: Ran): number {
  return Math.min(endsAt, limitAt);
}

const fate: fc.Arbitrary<Fate> = fc.record({
  comesTo: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom<Fate["comesTo"]>("answer", "silence") },
    {
      weight: 2,
      arbitrary: fc.constantFrom<Fate["comesTo"]>(...failureClasses.filter((each) => each !== "cancelled")),
    },
  ),
  takesMs: fc.oneof(fc.constant(0), fc.nat(400), fc.nat(20_000)),
});

const world = fc.record({
  size: fc.integer({ min: 2, max: 5 }),
  models: fc.array(fc.constantFrom("m", "m", "m", "other"), { minLength: 5, maxLength: 5 }),
  twoKeys: fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
  opened: fc.array(fc.constantFrom("no", "no", "fast", "slow"), { minLength: 5, maxLength: 5 }),
  attempts: fc.integer({ min: 1, max: 5 }),
  onLimit: fc.constantFrom<LimitPolicy>("next", "race"),
  hedge: fc.constantFrom(null, "p95" as const, 10, 100, 5000),
  /** Of a deployment's usual time to first content; null: nothing is known. */
  usualMs: fc.option(fc.integer({ min: 5, max: 3000 })),
  stream: fc.boolean(),
  startedAt: fc.constantFrom(100, 5500, 30_000),
  lastsMs: fc.constantFrom(50, 1000, 20_000, 570_000),
  spent: fc.boolean(),
  fates: fc.array(fate, { minLength: 1, maxLength: 8 }),
});
type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

function build(given: World): { health: Health; way: Course; candidates: readonly Deployment[] } {
  const health = steadyHealth();
  const candidates = Array.from({ length: given.size }, (_, i) =>
    deployment(`p${i}`, { model: i === 0 ? "m" : (given.models[i] ?? "m") }),
  );
  for (const [i, { id, provider }] of candidates.entries()) {
    const names = given.twoKeys[i] === true ? ["one", "two"] : ["one"];
    // One call a key at a time: what is not given back shows.
    const limits = { rpm: null, tpm: null, concurrency: 1 };
    health.keyPool(provider).reconcile(names.map((name) => ({ name, identity: name, weight: 1, limits })));
    if (given.opened[i] !== "no") open(health, id, 0, given.opened[i] === "slow");
    for (let n = 0; n < 40 && given.usualMs !== null; n++) {
      health.latency(id).record(given.usualMs, 0);
      health.answerTime(id).record(given.usualMs, 0);
    }
  }
  if (given.spent) spendRetries(health, given.startedAt);
  const { attempts, onLimit, hedge, startedAt, lastsMs, stream } = given;
  const settings = { ...failoverPreset("balanced"), attempts, onLimit, hedge, firstTokenMs: 2000, answerMs: 3000 };
  const way = course(health, candidates, { settings, startedAt, deadlineAt: startedAt + lastsMs, stream });
  return { health, way, candidates };
}

function laws(check: (given: World, walked: Walked, health: Health) => void, numRuns = 1000): void {
  fc.assert(
    fc.property(world, (given) => {
      const { health, way } = build(given);
      const time = { start: given.startedAt, until: given.startedAt + given.lastsMs };
      check(given, new Walk(way, given.fates, time).toItsEnd(), health);
    }),
    { numRuns },
  );
}

describe("for any world, and calls side by side that end in any order, one request", () => {
  it("has at most two calls at a time, and none side by side unless it races or hedges", () => {
    laws(({ onLimit, hedge }, { ran }) => {
      for (const { beside } of ran)
        expect(beside.length).toBeLessThanOrEqual(onLimit === "next" && hedge === null ? 0 : 1);
    });
  });

  it("makes at most `attempts` calls, siblings' aside, races and hedges included", () => {
    laws(({ attempts }, { ran }) => {
      expect(ran.filter(({ call }) => call.kind !== "sibling_key").length).toBeLessThanOrEqual(attempts);
    });
  });

  it("has one winner at most, and nothing that runs on after it or after a stop", () => {
    laws((_, { ran, stop, left }) => {
      const winners = ran.filter(({ end }) => end === "won");
      expect(winners.length).toBe(stop === null && !left ? 1 : 0);
      expect(ran.every(({ endedAt }) => endedAt < Infinity)).toBe(true);
    });
  });

  it("never starts a call at or after its deadline", () => {
    laws(({ startedAt, lastsMs }, { ran }) => {
      expect(ran.every(({ at }) => at < startedAt + lastsMs)).toBe(true);
    });
  });

  it("goes beside a running call only to another deployment of the same model", () => {
    laws((_, { ran }) => {
      for (const { call, beside } of ran) {
        for (const other of beside) {
          expect(call.deployment.model).toBe(other.deployment.model);
          expect(call.deployment).not.toBe(other.deployment);
        }
      }
    });
  });

  it("hedges only a call that is neither a trial nor a last resort, to a closed breaker, and pays for it", () => {
    laws(({ spent, startedAt }, { ran }) => {
      const hedges = ran.filter(({ call }) => call.kind === "hedge");
      for (const { beside, closed } of hedges) {
        expect(closed).toBe(true);
        expect(beside.map(({ permit }) => permit.kind)).toEqual(["closed"]);
      }
      // A spent budget earns its first retry after a tenth of a second.
      expect(!spent || hedges.every(({ at }) => at >= startedAt + 80)).toBe(true);
    });
  });

  it("releases every key exactly once", () => {
    laws((_, { ran }, health) => {
      for (const { call, at } of ran) {
        expect(releases.get(call)).toBe(1);
        const late = at + 86_400_000;
        expect(health.keyPool(call.deployment.provider).usable(call.deployment.id, late)).toBe(true);
      }
    });
  });

  it("gives back every trial's place", () => {
    laws(({ startedAt, size }, { ran }, health) => {
      // A walk can take longer than a trial's place is held for; what counts is the moment after it.
      const end = Math.max(startedAt, ...ran.map(({ endedAt }) => endedAt));
      for (let i = 0; i < size; i++) {
        const view = health.breaker(`p${i}/m`).view(end);
        expect(view.state === "half_open" && view.trialInFlight).toBe(false);
      }
    });
  });

  it("lets the loser of a race count as nothing, unless it passed its limit: then as slow, once", () => {
    laws(({ opened }, { ran }, health) => {
      for (const { call, end, late } of ran) {
        if (end !== "lost" || opened.some((each) => each !== "no")) continue;
        if (ran.filter((other) => other.call.deployment === call.deployment).length > 1) continue;
        const view = health.breaker(call.deployment.id).view(0);
        expect(view).toMatchObject({ state: "closed", consecutiveFailures: late ? 1 : 0 });
      }
    });
  });

  it("ends what runs beside a call only for what began before it, or for the winner", () => {
    laws((_, { ran }) => {
      for (const loser of ran.filter(({ end }) => end === "lost")) {
        const enders = ran.filter(({ endedAt }) => endedAt === loser.endedAt);
        expect(enders.some(({ end, at }) => end === "won" || (end === "failed" && at < loser.at))).toBe(true);
      }
    });
  });

  it("is answered whenever some call of it comes to an answer in time", () => {
    laws(({ startedAt, lastsMs }, { ran, left, stop }) => {
      const answered = ran.some(({ end }) => end === "won");
      const came = ran.filter(({ fate, endedAt, endsAt }) => fate.comesTo === "answer" && endsAt <= endedAt);
      // At the very moment of the deadline it may be either.
      const cameInTime = came.some(({ endsAt }) => endsAt < startedAt + lastsMs);
      expect(answered).toBe(cameInTime || (answered && came.length > 0));
      expect(answered || left || stop !== null).toBe(true);
    });
  });
});
