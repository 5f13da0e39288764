import {
  answersChat,
  answersError,
  eventually,
  expectClean,
  FakeClock,
  runLoad,
  tally,
  turn,
  type Collected,
  type JobOutcome,
  type Script,
} from "@tuloy/testkit";
import { describe, expect, test } from "vitest";

import { model, type TestGateway } from "../harness.ts";
import { breakerOf, post, setScene } from "../scene.ts";

const answer = "An answer of several words.";
const well = answersChat(answer);
const overloaded = answersError(529, "overloaded_error", "Overloaded.");

/** One chat of many, each with a prompt of its own; every second one is a stream. */
function ask(gateway: TestGateway, index: number): Promise<Collected> {
  const messages = [{ role: "user", content: `Question ${index}, ${Math.random()}.` }];
  return post(gateway, { stream: index % 2 === 0, messages }, { timeoutMs: 50_000 });
}

/** What keeps each outcome from being the whole answer. */
function faults(outcomes: readonly JobOutcome<Collected>[]): string[] {
  return outcomes.flatMap(({ index, result }) => {
    if (!result.ok) return [String(result.error)];
    const got = result.value;
    if (index % 2 === 0) return expectClean(got, answer);
    const whole = got.status === 200 && got.ended === "clean" && got.text().includes(JSON.stringify(answer));
    return whole ? [] : [`${got.status} ${got.ended}: ${got.text().slice(0, 200)}`];
  });
}

function stateOf(gateway: TestGateway, provider: string): string {
  return breakerOf(gateway, provider).view(performance.now()).state;
}

/** Counts what is under way at a time. */
class Crowd {
  #now = 0;
  most = 0;

  async count<T>(work: () => Promise<T>): Promise<T> {
    this.most = Math.max(this.most, ++this.#now);
    try {
      return await work();
    } finally {
      this.#now -= 1;
    }
  }
}

/**
 * Time that passes only while nobody owes an answer who would give one, and nothing is on its way to the broken provider: nobody is late
 * because the machine that runs the test is.
 */
class FairTime {
  readonly #clock: FakeClock;
  readonly #gateway: TestGateway;
  /** Requests with which the broken provider is not done. */
  #kept = 0;

  constructor(clock: FakeClock, gateway: TestGateway) {
    this.#clock = clock;
    this.#gateway = gateway;
  }

  /** The broken provider's script. */
  broken(script: Script): Script {
    return async (reply, request) => {
      this.#kept += 1;
      await script(reply, request);
      await reply.done;
      this.#kept -= 1;
    };
  }

  /** Waits for some work, and lets time pass meanwhile. */
  async during<T>(work: Promise<T>): Promise<T> {
    const course = { over: false };
    const ended = work.finally(() => (course.over = true));
    while (!course.over) {
      if (this.#inFlight("b") === 0 && this.#inFlight("a") <= this.#kept) await this.#clock.pass(50);
      await turn();
    }
    return ended;
  }

  #inFlight(provider: string): number {
    return this.#gateway.launched.health.pace(`${provider}/${model}`).inFlight;
  }
}

/** The most trials that an open period of at least `openMs`, less 20% of chance, leaves room for. */
function mostTrials(forMs: number, openMs: number): number {
  return Math.ceil(forMs / (0.8 * openMs)) + 1;
}

describe("a provider that fails beside a healthy twin", () => {
  test("by a storm of 529 at 150 requests a second: no client sees it, and its traffic falls to trials", async () => {
    const jobs = 1800;
    const { a, b, gateway } = await setScene(
      { a: overloaded, b: well },
      { failover: "breaker: { open: 500ms, open_max: 1s }" },
    );
    const clients = new Crowd();
    const started = performance.now();
    const outcomes = await runLoad({ jobs, perSecond: 150, job: (index) => clients.count(() => ask(gateway, index)) });
    const took = performance.now() - started;
    expect(faults(outcomes)).toEqual([]);
    // Each failure that was in flight when the fifth opened the breaker is one too many, and cannot be helped.
    expect(a.requests.length).toBeLessThanOrEqual(5 + clients.most + mostTrials(took, 500));
    // Yet it is never given up.
    expect(a.requests.length).toBeGreaterThan(5);
    expect(b.requests).toHaveLength(jobs);
    expect(tally(outcomes, ({ result }) => String(result.ok && result.value.headers["x-tuloy-failover"]))).toEqual({
      overloaded: a.requests.length,
      undefined: jobs - a.requests.length,
    });
  }, 60_000);

  test.each<readonly [how: string, breaks: Script]>([
    ["answering 500", answersError(500, null, "The server had an error.")],
    ["accepting and never answering", (reply) => reply.wait(new Promise(() => {}))],
    ["resetting connections after the head", (reply) => reply.eventStream().chunk(": wait\n\n").reset()],
  ])(
    "by %s under hundreds of requests: nobody notices, and it is back in use when it is well",
    async (_how, breaks) => {
      const clock = new FakeClock();
      const { a, b, gateway } = await setScene(
        { a: well, b: well },
        { failover: "first_token: 1500ms, answer: 1500ms, breaker: { open: 200ms, open_max: 400ms }", clock },
      );
      const time = new FairTime(clock, gateway);
      const asked = (jobs: number, concurrency: number): Promise<readonly JobOutcome<Collected>[]> =>
        time.during(runLoad({ jobs, concurrency, job: (index) => ask(gateway, index) }));
      const state = (): string => breakerOf(gateway, "a").view(clock.now()).state;
      expect(faults(await asked(100, 50))).toEqual([]);
      expect([a.requests.length, b.requests.length]).toEqual([100, 0]);

      a.script(time.broken(breaks));
      expect(faults(await asked(300, 300))).toEqual([]);
      expect(state()).toBe("open");
      const [opened, callsBefore] = [clock.now(), a.requests.length];
      for (let wave = 0; wave < 25; wave++) {
        expect(faults(await asked(10, 10))).toEqual([]);
        await clock.pass(40);
      }
      const tried = a.requests.length - callsBefore;
      expect(tried).toBeLessThanOrEqual(mostTrials(clock.now() - opened, 200));
      expect(tried).toBeGreaterThan(0);

      a.script(well);
      for (let wave = 0; wave < 100 && state() !== "closed"; wave++) {
        expect(faults(await asked(1, 1))).toEqual([]);
        await clock.pass(40);
      }
      expect(state()).toBe("closed");
      const twinAfter = b.requests.length;
      expect(faults(await asked(20, 5))).toEqual([]);
      expect(b.requests).toHaveLength(twinAfter);
    },
    60_000,
  );

  test("and recovers at 50 requests a second: one trial at a time, and it is back in use", async () => {
    const trials = new Crowd();
    let made = 0;
    const { a, gateway } = await setScene(
      { a: overloaded, b: well },
      { failover: "breaker: { failures: 3, open: 300ms, open_max: 300ms }" },
    );
    // Slow enough that two at once would be seen.
    const slowly: Script = async (reply, request) => {
      if (stateOf(gateway, "a") !== "closed") {
        made += 1;
        await trials.count(() => reply.wait(60).done);
      }
      return well(reply, request);
    };
    const outcomes = await runLoad({
      jobs: 150,
      perSecond: 50,
      job: (index) => {
        if (index === 50) a.script(slowly);
        return ask(gateway, index);
      },
    });
    expect(faults(outcomes)).toEqual([]);
    expect([made, trials.most]).toEqual([3, 1]);
    expect(stateOf(gateway, "a")).toBe("closed");
    const last = outcomes.slice(-10).map(({ result }) => result.ok && result.value.headers["x-tuloy-provider"]);
    expect(last).toEqual(Array(10).fill("a"));
  }, 30_000);

  test("and recovers every moment anew: each request is answered, and few calls are wasted", async () => {
    const phaseMs = 400;
    let wasted = 0;
    const { a, gateway } = await setScene(
      {
        a: (reply, request) => {
          const down = Math.floor(performance.now() / phaseMs) % 2 === 0;
          if (down) wasted += 1;
          return (down ? overloaded : well)(reply, request);
        },
        b: well,
      },
      { failover: "breaker: { open: 100ms, open_max: 200ms }" },
    );
    const clients = new Crowd();
    const started = performance.now();
    const outcomes = await runLoad({
      jobs: 600,
      perSecond: 100,
      job: (index) => clients.count(() => ask(gateway, index)),
    });
    const took = performance.now() - started;
    expect(faults(outcomes)).toEqual([]);
    // In each bad phase it is found out once; beyond that there are only trials.
    const phases = Math.ceil(took / phaseMs / 2) + 1;
    expect(wasted).toBeLessThanOrEqual(phases * (5 + clients.most + mostTrials(phaseMs, 100)));
    expect(wasted).toBeGreaterThan(5);
    // And it is used while it is well.
    expect(a.requests.length - wasted).toBeGreaterThan(30);
  }, 30_000);
});

describe("an outage of all", () => {
  test("is not amplified: each client is told once, and upstreams get little more than the traffic", async () => {
    const busy = answersError(503, null, "Busy.");
    const { a, b, c, d, gateway } = await setScene({ a: busy, b: busy, c: busy, d: busy });
    const calls = (): number => [a, b, c, d].reduce((sum, { requests }) => sum + requests.length, 0);
    const names = ["a", "b", "c", "d"];
    await eventually(async () => {
      const before = calls();
      const { status } = await ask(gateway, 1);
      expect(status).toBe(503);
      expect(calls() - before).toBeLessThanOrEqual(3);
      return names.every((name) => stateOf(gateway, name) !== "closed");
    }, "every breaker's opening");

    const [before, jobs] = [calls(), 400];
    const started = performance.now();
    const outcomes = await runLoad({ jobs, perSecond: 100, job: (index) => ask(gateway, index) });
    const seconds = (performance.now() - started) / 1000;
    expect(calls() - before).toBeLessThanOrEqual(1.2 * jobs + 10 * (seconds + 1));
    const told = tally(outcomes, ({ result }) => {
      if (!result.ok) return String(result.error);
      const { status, headers } = result.value;
      return `${status}, x-should-retry: ${String(headers["x-should-retry"])}`;
    });
    expect(told).toEqual({ "503, x-should-retry: false": jobs });
    // Nobody waits for an answer that nobody has.
    for (const upstream of [a, b, c, d]) upstream.script(well);
    expect(faults(await runLoad({ jobs: 20, concurrency: 1, job: (index) => ask(gateway, index) }))).toEqual([]);
  }, 40_000);
});
