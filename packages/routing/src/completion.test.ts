import { failureClasses } from "@tuloy/contract";
import type { Deployment, FailureClass } from "@tuloy/contract";
import { deployment } from "@tuloy/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Completion } from "./completion.ts";
import type { CompletionInput, CompletionModes, CompletionStep, ContinuationSkill } from "./completion.ts";
import type { Course } from "./course.ts";
import { callOf, course, failure, open, spendRetries, steadyHealth } from "./fixtures.test-data.ts";
import type { Health } from "./health.ts";
import { failoverPreset } from "./presets.ts";

const text: CompletionModes = { exact: true, replay: true, anew: false, soft: true, why: "" };
const calls: CompletionModes = { ...text, exact: false, soft: false, why: "it holds the arguments of call 0" };
const reasoning: CompletionModes = {
  exact: false,
  replay: false,
  anew: true,
  soft: false,
  why: "only reasoning was sent",
};
const unknown: CompletionModes = { exact: false, replay: false, anew: false, soft: false, why: "the answer is spoken" };

interface Scene {
  readonly health: Health;
  readonly way: Course;
  readonly completion: Completion;
  readonly candidates: readonly Deployment[];
}

/** The first deployment's stream broke; each one's skill is given. */
function broken(
  skills: readonly ContinuationSkill[],
  fields: Partial<CompletionInput> = {},
  health = steadyHealth(),
  deadlineAt = 570_000,
): Scene {
  const candidates = skills.map((_, i) => deployment(`p${i}`));
  const [from = deployment("p0")] = candidates;
  const way = course(health, candidates, { deadlineAt });
  const call = callOf(way.next(0));
  way.committed(call, 100, 100);
  const why = fields.failure ?? failure("truncated");
  way.broke(call, why, 200);
  const skillOf = ({ id }: Deployment): ContinuationSkill => skills[candidates.findIndex((d) => d.id === id)] ?? "none";
  const completion = new Completion(
    { planned: candidates, from, failure: why, softAllowed: false, skillOf, ...fields },
    way,
    health,
  );
  return { health, way, completion, candidates };
}

/** The next call, if there is one, comes to a failure. */
function fail({ way, completion }: Scene, modes: CompletionModes, failureClass: FailureClass, now: number): void {
  const step = completion.next(modes, now);
  if (step.do === "stop") return;
  way.broke(step.call, failure(failureClass), now);
  completion.failed(step, failure(failureClass), now);
}

function callStep(step: CompletionStep): Exclude<CompletionStep, { do: "stop" }> {
  if (step.do === "stop") throw new Error(`expected a call: ${step.why}`);
  return step;
}

const shown = (step: CompletionStep): string =>
  step.do === "stop" ? `stop: ${step.why}` : `${step.do} ${step.call.deployment.provider}`;

/** Every step until it stops, when each call comes to the same failure. */
function steps({ completion }: Scene, modes: CompletionModes, failureClass: FailureClass = "cancelled"): string[] {
  const all: string[] = [];
  for (let i = 0; i < 20; i++) {
    const step = completion.next(modes, 300 + i);
    all.push(shown(step));
    if (step.do === "stop") return all;
    completion.failed(step, failure(failureClass), 300 + i);
  }
  throw new Error("it never stopped");
}

describe("a stream that broke", () => {
  it("is first continued exactly, then replayed once, then at most two calls are used up", () => {
    expect(steps(broken(["none", "exact", "none"]), text)).toEqual([
      "exact p1",
      "replay p1",
      "stop: the 2 calls that may complete an answer are used up",
    ]);
  });

  it("is continued by the next that can, when the first that can is down", () => {
    expect(steps(broken(["none", "exact", "exact"]), text, "refused").slice(0, 2)).toEqual(["exact p1", "exact p2"]);
  });

  it("is replayed only, when what was sent can't be continued, and only once", () => {
    expect(steps(broken(["none", "exact", "exact"]), calls)).toEqual([
      "replay p1",
      "stop: nobody else could complete it",
    ]);
  });

  it("is answered anew when only reasoning was sent", () => {
    expect(steps(broken(["none", "exact"]), reasoning)[0]).toBe("anew p1");
  });

  it("stays broken when what was sent can't be compared", () => {
    expect(steps(broken(["none", "exact"]), unknown)).toEqual(["stop: the answer is spoken"]);
  });

  it("is softly continued only where that is allowed, after the replay", () => {
    expect(steps(broken(["none", "none", "none"], { softAllowed: true }), text).slice(0, 2)).toEqual([
      "replay p1",
      "soft p1",
    ]);
  });

  it("is completed by its own deployment when there is no other, but not after a stall", () => {
    expect(steps(broken(["exact"]), text)[0]).toBe("exact p0");
    expect(steps(broken(["exact"], { failure: failure("stall") }), text)).toEqual([
      "stop: no other deployment of the model may be asked",
    ]);
  });

  it.each(["content_filter", "invalid_request", "context_length", "internal", "cancelled"] as const)(
    "by %s stays broken: that is the request's end everywhere",
    (failureClass) => {
      expect(steps(broken(["none", "exact"], { failure: failure(failureClass) }), text)[0]).toMatch(/^stop/);
    },
  );

  it("is not completed by another model", () => {
    const scene = broken(["none"]);
    const equivalent = deployment("q", { id: "q/n", model: "n" });
    const other = broken(["none"], { planned: [...scene.candidates, equivalent], skillOf: () => "exact" });
    expect(steps(other, text)).not.toContain("exact q");
  });

  it("that an equivalent began is completed by that equivalent's twin, not by the model that was asked for", () => {
    const [began, twin] = [deployment("q", { id: "q/n", model: "n" }), deployment("r", { id: "r/n", model: "n" })];
    const asked = deployment("p1");
    const scene = broken(["none"], { planned: [asked, began, twin], from: began, skillOf: () => "exact" });
    expect(steps(scene, text)).toEqual([
      "exact r",
      "exact q",
      "stop: the 2 calls that may complete an answer are used up",
    ]);
  });

  it("asks who is of unknown skill first, and remembers the answer for all requests", () => {
    const scene = broken(["none", "unknown"]);
    const probe = scene.completion.next(text, 300);
    expect(shown(probe)).toBe("probe p1");
    scene.completion.probed(callStep(probe), true, 310);
    expect(shown(scene.completion.next(text, 320))).toBe("exact p1");
    expect(steps(broken(["none", "unknown"], {}, scene.health), text)[0]).toBe("exact p1");
  });

  it("remembers for an hour who rejected the prefix or ignored it", () => {
    const scene = broken(["none", "exact"]);
    steps(scene, text, "invalid_request");
    expect(scene.health.continuations.known("p1/m", 400)).toBe(false);
    expect(steps(broken(["none", "exact"], {}, scene.health), text)[0]).toBe("replay p1");
    expect(scene.health.continuations.known("p1/m", 3_600_000 + 400)).toBeNull();
  });

  it("does not hold an outage against a deployment's skill", () => {
    const scene = broken(["none", "exact"]);
    steps(scene, text, "reset");
    expect(scene.health.continuations.known("p1/m", 400)).toBeNull();
  });

  it("is completed by a healthy twin also when the retry budget is spent, since all streams of a dying provider break at once", () => {
    const scene = broken(["none", "exact", "exact"]);
    spendRetries(scene.health, 300);
    // The first move is free, as it is before the commit; a second call is a retry.
    expect(steps(scene, text)).toEqual(["exact p1", "stop: nobody else could complete it"]);
  });

  it("is not completed by its own deployment when the retry budget is spent", () => {
    const scene = broken(["exact"]);
    spendRetries(scene.health, 300);
    expect(steps(scene, text)).toEqual(["stop: no deployment can take a call now"]);
  });
});

describe("a completing call that passes its first-token limit", () => {
  const late = (scene: Scene, modes = text): boolean => {
    const step = callStep(scene.completion.next(modes, 300));
    return scene.completion.canMoveOn(step.call, modes, 400);
  };
  const stalled = { failure: failure("stall") };

  it("is cut when another can be asked", () => {
    expect(late(broken(["none", "exact", "exact"]))).toBe(true);
    expect(late(broken(["none", "exact", "none"]))).toBe(true);
    expect(late(broken(["exact", "exact"]))).toBe(true);
  });

  it("goes on when it is the last: it is not itself somebody else", () => {
    expect(late(broken(["none", "exact"], stalled))).toBe(false);
    expect(late(broken(["none", "none"], stalled))).toBe(false);
    expect(late(broken(["none", "exact"]), calls)).toBe(false);
  });

  it("goes on when the other has no key, an open breaker, or costs a retry that there is none of", () => {
    const busy = broken(["none", "exact", "exact"], stalled);
    const limits = { rpm: null, tpm: null, concurrency: 1 };
    busy.health.keyPool("p2").reconcile([{ name: "k", identity: "k", weight: 1, limits }]);
    busy.health.keyPool("p2").acquire("p2/m", 300);
    expect(late(busy)).toBe(false);
    const opened = broken(["none", "exact", "exact"], stalled);
    open(opened.health, "p2/m", 250);
    expect(late(opened)).toBe(false);
    const spent = broken(["none", "exact", "exact"], stalled);
    const step = callStep(spent.completion.next(text, 300));
    spendRetries(spent.health, 400);
    expect(spent.completion.canMoveOn(step.call, text, 400)).toBe(false);
  });

  it("is cut for a soft continuation where the route allows one", () => {
    for (const softAllowed of [true, false]) {
      const scene = broken(["none", "none", "none"], { softAllowed });
      const replay = callStep(scene.completion.next(text, 300));
      expect(scene.completion.canMoveOn(replay.call, text, 400)).toBe(softAllowed);
    }
  });
});

describe("a continuation probe", () => {
  const affinity = "session";

  it("is no turn of the session, no measure of pace, and charges its key what it used", () => {
    const health = steadyHealth();
    const [a, b] = [deployment("a"), deployment("b")];
    const limits = { rpm: null, tpm: 1000, concurrency: null };
    health.keyPool("b").reconcile([{ name: "k", identity: "k", weight: 1, limits }]);
    const way = course(health, [a, b], { affinity, inputTokens: 900, tokens: 5000 });
    const call = callOf(way.next(0));
    way.committed(call, 100, 100);
    way.broke(call, failure("truncated"), 200);
    const probe = way.callToComplete(b, "continuation_probe", 300);
    if (probe === null) throw new Error("a probe is too small for no key");
    // What it leaves is room for another request.
    expect(health.keyPool("b").usable("b/m", 300, { tokens: 900 })).toBe(true);
    way.finished(probe, 900, 40);
    expect(health.keyPool("b").usable("b/m", 900, { tokens: 960 })).toBe(true);
    expect(health.keyPool("b").usable("b/m", 900, { tokens: 961 })).toBe(false);
    const pace = health.pace("b/m");
    expect([pace.answer.ms, pace.firstToken.ms, pace.msPerToken, pace.inFlight]).toEqual([null, null, null, 0]);
    expect(health.affinity.deploymentOf(affinity)).toBe("a/m");
  });

  it("that fails counts for the breaker, and not as slow", () => {
    const health = steadyHealth();
    const way = course(health, [deployment("a"), deployment("b")], { affinity });
    const call = callOf(way.next(0));
    way.committed(call, 100, 100);
    way.broke(call, failure("truncated"), 200);
    const probe = way.callToComplete(deployment("b"), "continuation_probe", 300);
    if (probe === null) throw new Error("there is a key");
    way.broke(probe, failure("server_error"), 400);
    expect(health.breaker("b/m").view(400)).toMatchObject({ consecutiveFailures: 1 });
    expect(health.pace("b/m").firstToken.ms).toBeNull();
  });
});

describe("whatever happens, a completion", () => {
  const skill = fc.constantFrom<ContinuationSkill>("exact", "unknown", "none");
  const skills = fc.array(skill, { minLength: 1, maxLength: 5 });
  const why = fc.constantFrom<FailureClass>("truncated", "stall", "overloaded", "server_error");
  const mode = fc.constantFrom(text, calls, reasoning, unknown);
  const fate = fc.constantFrom<FailureClass>(...failureClasses);
  const lastsMs = fc.constantFrom(330, 350, 100_000, 100_000);
  const given = fc.record({
    skills,
    opened: fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
    softAllowed: fc.boolean(),
    why,
    modes: fc.array(mode, { minLength: 1, maxLength: 4 }),
    fates: fc.array(
      fc.constantFrom<FailureClass | "continues" | "does not">(...failureClasses, "continues", "does not"),
      {
        minLength: 1,
        maxLength: 6,
      },
    ),
    lastsMs,
  });

  it("cuts a late call if, and only if, there is a next one to make", () => {
    const some = fc.array(
      fc.nat(3).map((n) => n === 0),
      { minLength: 5, maxLength: 5 },
    );
    const several = fc.array(skill, { minLength: 3, maxLength: 5 });
    const world = fc.record({
      skills: several,
      opened: some,
      busy: some,
      spent: fc.boolean(),
      softAllowed: fc.boolean(),
    });
    const way = fc.record({ why, mode, before: fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, fate), lastsMs });
    const seen = { cut: 0, left: 0 };
    fc.assert(
      fc.property(
        world,
        way,
        ({ skills: known, opened, busy, spent, softAllowed }, { why: broke, mode: modes, before, lastsMs: until }) => {
          const health = steadyHealth();
          const scene = broken(known, { failure: failure(broke), softAllowed }, health, until);
          const limits = { rpm: null, tpm: null, concurrency: 1 };
          for (const [i, { id, provider }] of scene.candidates.entries()) {
            if (opened[i] === true) open(health, id, 250);
            if (busy[i] !== true) continue;
            health.keyPool(provider).reconcile([{ name: "k", identity: "k", weight: 1, limits }]);
            health.keyPool(provider).acquire(id, 250);
          }
          if (before !== null) fail(scene, modes, before, 300);
          const step = scene.completion.next(modes, 320);
          if (step.do === "stop" || step.do === "probe") return;
          if (spent) spendRetries(health, 340);
          const could = scene.completion.canMoveOn(step.call, modes, 340);
          scene.way.broke(step.call, failure("first_token_timeout"), 340);
          scene.completion.failed(step, failure("first_token_timeout"), 340);
          const after = scene.completion.next(modes, 340);
          seen[could ? "cut" : "left"]++;
          // A probe finds something out, and completes nothing.
          const wrong = could ? ["stop"] : ["exact", "replay", "anew", "soft"];
          expect(wrong).not.toContain(after.do);
        },
      ),
      { numRuns: 3000 },
    );
    expect(Math.min(seen.cut, seen.left)).toBeGreaterThan(20);
  });

  it("makes at most two calls and one probe, one replay, and none after the deadline or past an open breaker", () => {
    fc.assert(
      fc.property(given, ({ skills, opened, softAllowed, why, modes, fates, lastsMs }) => {
        const health = steadyHealth();
        const candidates = skills.map((_, i) => deployment(`p${i}`));
        const [from = deployment("p0")] = candidates;
        const way = course(health, candidates, { deadlineAt: lastsMs, settings: failoverPreset("balanced") });
        const call = callOf(way.next(0));
        way.committed(call, 100, 100);
        way.broke(call, failure(why), 200);
        for (const [i, { id }] of candidates.entries()) if (opened[i] === true) open(health, id, 250);
        const completion = new Completion(
          {
            planned: candidates,
            from,
            failure: failure(why),
            softAllowed,
            skillOf: ({ id }) => skills[candidates.findIndex((d) => d.id === id)] ?? "none",
          },
          way,
          health,
        );
        const made: { mode: string; id: string; at: number; wasOpen: boolean }[] = [];
        for (let i = 0, now = 300; i < 30; i++, now += 20) {
          const mode = modes[i % modes.length] ?? text;
          const step = completion.next(mode, now);
          if (step.do === "stop") break;
          const { deployment: asked } = step.call;
          made.push({ mode: step.do, id: asked.id, at: now, wasOpen: opened[candidates.indexOf(asked)] === true });
          const permitted = { ...mode, probe: mode.exact, soft: softAllowed && mode.soft };
          expect([step.do, permitted[step.do]]).toEqual([step.do, true]);
          const fate = fates[i % fates.length] ?? "reset";
          const found = fate === "continues" || fate === "does not";
          if (found && step.do === "probe") completion.probed(step, fate === "continues", now);
          else completion.failed(step, failure(found ? "reset" : fate), now);
          expect(i).toBeLessThan(10);
        }
        const counted = made.filter(({ mode }) => mode !== "probe");
        expect(counted.length).toBeLessThanOrEqual(2);
        expect(made.length - counted.length).toBeLessThanOrEqual(1);
        expect(made.filter(({ mode }) => mode === "replay" || mode === "anew").length).toBeLessThanOrEqual(1);
        for (const { at, wasOpen } of made) expect([at < lastsMs, wasOpen]).toEqual([true, false]);
        expect(why === "stall" && made.some(({ id }) => id === from.id)).toBe(false);
        // Nobody is asked the same twice.
        expect(new Set(made.map(({ mode, id }) => `${mode} ${id}`)).size).toBe(made.length);
      }),
      { numRuns: 3000 },
    );
  });
});
