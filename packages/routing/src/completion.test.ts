import { failureClasses } from "@tuloy/contract";
import type { Deployment, FailureClass } from "@tuloy/contract";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Completion } from "./completion.ts";
import type { CompletionInput, CompletionModes, CompletionStep, ContinuationSkill } from "./completion.ts";
import { callOf, course, deployment, failure, open, spendRetries, steadyHealth } from "./fixtures.test-data.ts";
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
  readonly completion: Completion;
  readonly candidates: readonly Deployment[];
}

/** The first deployment's stream broke; each one's skill is given. */
function broken(
  skills: readonly ContinuationSkill[],
  fields: Partial<CompletionInput> = {},
  health = steadyHealth(),
): Scene {
  const candidates = skills.map((_, i) => deployment(`p${i}`));
  const [from = deployment("p0")] = candidates;
  const way = course(health, candidates);
  const call = callOf(way.next(0));
  way.committed(call, 100, 100);
  const why = fields.failure ?? failure("truncated");
  way.broke(call, why, 200);
  const skillOf = ({ id }: Deployment): ContinuationSkill => skills[candidates.findIndex((d) => d.id === id)] ?? "none";
  const completion = new Completion(
    { candidates, from, failure: why, softAllowed: false, skillOf, ...fields },
    way,
    health,
  );
  return { health, completion, candidates };
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
    const other = broken(["none"], { candidates: [...scene.candidates, equivalent], skillOf: () => "exact" });
    expect(steps(other, text)).not.toContain("exact q");
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

describe("whatever happens, a completion", () => {
  const skill = fc.constantFrom<ContinuationSkill>("exact", "unknown", "none");
  const given = fc.record({
    skills: fc.array(skill, { minLength: 1, maxLength: 5 }),
    opened: fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
    softAllowed: fc.boolean(),
    why: fc.constantFrom<FailureClass>("truncated", "stall", "overloaded", "server_error"),
    modes: fc.array(fc.constantFrom(text, calls, reasoning, unknown), { minLength: 1, maxLength: 4 }),
    fates: fc.array(
      fc.constantFrom<FailureClass | "continues" | "does not">(...failureClasses, "continues", "does not"),
      {
        minLength: 1,
        maxLength: 6,
      },
    ),
    lastsMs: fc.constantFrom(350, 100_000),
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
            candidates,
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
