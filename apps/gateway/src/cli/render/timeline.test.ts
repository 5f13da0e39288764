import { stripVTControlCharacters } from "node:util";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { aFailover, aLoss, anAttempt, aTrace } from "../../observe/sample-traces.ts";
import { formatUsd, printable } from "./text.ts";
import { renderTimeline } from "./timeline.ts";

const plain = { color: false, width: 80 };

describe("a trace's timeline", () => {
  it("shows an ordinary success", () => {
    expect(renderTimeline(aTrace(), plain)).toMatchInlineSnapshot(`
      "Trace 019ab0123456789abcdef0123456789a  succeeded  HTTP 200
      2025-11-23 03:53:20 UTC, 921 ms: chat for gpt-4.1, streamed, route default, environment production, key app

      1  openai/gpt-4.1  ░░░░░░░░███████████████████████████████████  0.4 ms to 920 ms
         first choice, key default, connected at 1.2 ms, first token at 180 ms, ended at 920 ms
         HTTP 200, answered, 812 tokens in, 211 out, $0.003312

      Plan
         1. openai/gpt-4.1
         2. azure-eu/gpt-4.1@eu, not needed

      Result
         answered by openai
         first token after 180 ms
         812 tokens in, 211 out
         cost $0.003312"
    `);
  });

  it("shows two calls side by side: who won, and what the loser cost", () => {
    const usage = { input_tokens: 800, cached_input_tokens: 0, output_tokens: 0, reasoning_tokens: 0 };
    const loser = anAttempt({
      failure: "cancelled",
      reason: "another deployment answered first",
      first_token_ms: null,
      ended_ms: 500,
      usage: { ...usage, source: "estimate" },
      cost_usd: 0.0016,
    });
    const winner = anAttempt({
      deployment: "azure-eu/gpt-4.1@eu",
      kind: "hedge",
      started_ms: 300,
      first_token_ms: 500,
    });
    const lines = renderTimeline(aTrace({ attempts: [loser, winner] }), plain).split("\n");
    expect(lines.slice(3, 9)).toMatchInlineSnapshot(`
      [
        "1  openai/gpt-4.1       ░░░░░░░░░░░░░░░░░░░░░·················  0.4 ms to 500 ms",
        "   first choice, key default, connected at 1.2 ms, ended at 500 ms",
        "   HTTP 200, cancelled: another deployment answered first, 800 tokens in, 0 out (estimated), $0.0016",
        "2  azure-eu/gpt-4.1@eu  ············░░░░░░░░░█████████████████  300 ms to 920 ms",
        "   hedge beside a call that had not answered yet, key default, connected at 1.2 ms, first token at 500 ms, ended at 920 ms",
        "   HTTP 200, answered, 812 tokens in, 211 out, $0.003312",
      ]
    `);
    const [, painted = ""] = renderTimeline(aTrace({ attempts: [loser] }), { ...plain, color: true }).split(
      "1  openai",
    );
    expect(painted).toContain("\u001b[33mHTTP 200, cancelled");
  });

  it("shows a failover: who failed, why, who answered, and what it cost", () => {
    expect(renderTimeline(aFailover(), plain)).toMatchInlineSnapshot(`
      "Trace 019ab0123456789abcdef0123456789a  failed over (overloaded) and succeeded  HTTP 200
      2025-11-23 03:53:20 UTC, 1 s: chat for gpt-4.1, streamed, route default, environment production, key app

      1  openai/gpt-4.1       ░░░░░░░░░·····························  0.4 ms to 240 ms
         first choice, key default, connected at 1.2 ms, ended at 240 ms
         HTTP 503, overloaded: the provider says that it is overloaded
      2  azure-eu/gpt-4.1@eu  ·········░░░░░░░░░░███████████████████  241 ms to 1 s
         twin, key a, region eu, connected at 247 ms, first token at 500 ms, ended at 1 s
         HTTP 200, answered, 812 tokens in, 211 out, $0.0036

      Plan
         1. openai/gpt-4.1
         2. azure-eu/gpt-4.1@eu
         3. backup/gpt-4.1, not needed
         left out: groq/gpt-4.1 (capability): the request uses tools, which it does not support

      Result
         answered by azure-eu
         first token after 500 ms
         812 tokens in, 211 out
         cost $0.0036
         against the primary: 241 ms later, $0.000288 dearer
         tags team=search

      Notes
         the stream's [DONE] was added"
    `);
  });

  it("shows a stream that broke off and was completed: who began, who completed, and how", () => {
    const broken = anAttempt({
      failure: "truncated",
      reason: "the connection broke",
      first_token_ms: 120,
      ended_ms: 240,
    });
    const rest = anAttempt({
      deployment: "azure-eu/gpt-4.1@eu",
      provider: "azure-eu",
      kind: "continuation",
      started_ms: 241,
      connected_ms: 247,
      first_token_ms: 500,
      ended_ms: 1000,
    });
    const shown = renderTimeline(
      aTrace({ attempts: [broken, rest], failover: "truncated", provider: "azure-eu" }),
      plain,
    );
    expect(shown).toContain("broke off (truncated) and was completed  HTTP 200");
    expect(shown).toContain("went on from the break, key default");
    expect(shown).toContain("begun by openai, completed by azure-eu");
  });

  it("shows a request that nobody answered", () => {
    expect(renderTimeline(aLoss(), plain)).toMatchInlineSnapshot(`
      "Trace 019ab0123456789abcdef0123456789a  failed  HTTP 502 upstream_failed
      2025-11-23 03:53:20 UTC, 1 s: chat for gpt-4.1, streamed, route default, environment production, key app

      1  openai/gpt-4.1       ░░░░░░░░░·····························  0.4 ms to 240 ms
         first choice, key default, connected at 1.2 ms, ended at 240 ms
         HTTP 503, overloaded: the provider says that it is overloaded
      2  azure-eu/gpt-4.1@eu  ·········░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  241 ms to 1 s
         twin, key a, region eu, connected at 247 ms, ended at 1 s
         refused

      Plan
         1. openai/gpt-4.1
         2. azure-eu/gpt-4.1@eu
         3. backup/gpt-4.1, not needed
         left out: groq/gpt-4.1 (capability): the request uses tools, which it does not support"
    `);
  });

  it("marks a drill, and the attempts that met its fault", () => {
    const [first = anAttempt(), ...rest] = aFailover().attempts;
    const text = renderTimeline(
      aFailover({ drill: "drill-1", attempts: [{ ...first, drill: "drill-1" }, ...rest] }),
      plain,
    );
    expect(text).toContain("\nIn the scope of drill-1\n");
    expect(text.match(/the fault of drill-1 laid over it/g)).toHaveLength(1);
  });

  it("says when no attempt was made", () => {
    const refused = aTrace({
      attempts: [],
      candidates: [],
      model: null,
      route: null,
      provider: null,
      outcome: "failed",
      status: 404,
      code: "model_not_found",
      usage: null,
      cost_usd: null,
      first_token_ms: null,
      duration_ms: 0.6,
    });
    expect(renderTimeline(refused, plain)).toMatchInlineSnapshot(`
      "Trace 019ab0123456789abcdef0123456789a  failed  HTTP 404 model_not_found
      2025-11-23 03:53:20 UTC, 0.6 ms: chat for gpt-4.1, streamed, no route, environment production, key app

      No attempt was made."
    `);
  });

  it("says the same in colour", () => {
    const colored = renderTimeline(aFailover(), { color: true, width: 80 });
    expect(colored).toContain("\u001b[31m");
    expect(stripVTControlCharacters(colored)).toBe(renderTimeline(aFailover(), plain));
  });

  it("compares the cost with the primary's in words", () => {
    const compared = (cost: number | null) =>
      renderTimeline(aFailover({ deltas: { cost_usd: cost, latency_ms: 241 } }), plain);
    expect(compared(0.5)).toContain("against the primary: 241 ms later, $0.50 dearer");
    expect(compared(-0.5)).toContain("against the primary: 241 ms later, $0.50 cheaper");
    expect(compared(0)).toContain("against the primary: 241 ms later, at the same price");
    expect(compared(null)).toContain("against the primary: 241 ms later, difference in price unknown");
  });

  it("lets nothing that came from outside control the terminal", () => {
    const rude = "\u001b[2J\u0007\r\nx\u202e";
    const trace = aFailover({
      requested_model: rude,
      environment: rude,
      key: rude,
      code: rude,
      provider: rude,
      tags: { [rude]: rude },
      notes: [rude],
      candidates: [rude],
      exclusions: [{ deployment: rude, reason: "region", detail: rude }],
      attempts: [anAttempt({ deployment: rude, key: rude, region: rude, failure: "reset", reason: rude })],
      route: rude,
    });
    expect(renderTimeline(trace, plain)).not.toMatch(/[^\P{Cc}\n]|\p{Cf}/u);
  });

  it("draws each bar to scale: as wide as the others, never empty, in the order of time", () => {
    const moments = fc
      .array(fc.integer({ min: 0, max: 100_000 }), { minLength: 3, maxLength: 3 })
      .map((times) => times.toSorted((a, b) => a - b));
    fc.assert(
      fc.property(
        fc.array(moments, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 20, max: 200 }),
        (attempts, width) => {
          const trace = aTrace({
            attempts: attempts.map(([started_ms = 0, first_token_ms = 0, ended_ms = 0]) =>
              anAttempt({ started_ms, first_token_ms, ended_ms }),
            ),
            duration_ms: Math.max(...attempts.flat()),
          });
          const bars = [...renderTimeline(trace, { color: false, width }).matchAll(/^\d  \S+  ([·░█]+)  /gm)].map(
            ([, bar]) => bar ?? "",
          );
          expect(bars).toHaveLength(attempts.length);
          expect(new Set(bars.map((bar) => bar.length)).size).toBe(1);
          for (const bar of bars) expect(bar).toMatch(/^·*(░+█*|█+)·*$/);
        },
      ),
    );
  });
});

describe("money", () => {
  it.each([
    [0, "$0"],
    [12, "$12.00"],
    [0.5, "$0.50"],
    [0.003312, "$0.003312"],
    [0.0033124, "$0.003312"],
    [0.000_000_12, "$0.00000012"],
    [-0.002, "−$0.002"],
  ])("of %d dollars reads %s", (usd, text) => {
    expect(formatUsd(usd)).toBe(text);
  });
});

describe("text from outside", () => {
  it("keeps letters of every script and loses every control", () => {
    expect(printable("多模型 é 👍")).toBe("多模型 é 👍");
    expect(printable("a\n\tb\u001b[0m\u2028c")).toBe("a b [0m c");
  });
});
