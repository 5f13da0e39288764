import type { BreakerView } from "@tuloy/routing";

import { phases, type Phase, type Tally } from "./tally.ts";

/** What one second of the demo shows. */
export interface Second {
  /** Seconds since the start. */
  readonly at: number;
  /** Requests that ended in it. */
  readonly answered: number;
  readonly reachedA: number;
  readonly reachedB: number;
  readonly breaker: BreakerView["state"];
  readonly failed: number;
  readonly firstTokenMs: number | null;
}

const barWidth = 12;

export function headings(): string[] {
  return [
    "  time   req/s   reached sandbox-a    reached sandbox-b    breaker of a   failed   first token",
    "  ─────  ─────   ──────────────────   ──────────────────   ────────────   ──────   ───────────",
  ];
}

export function row({ at, answered, reachedA, reachedB, breaker, failed, firstTokenMs }: Second): string {
  const most = Math.max(reachedA, reachedB, 1);
  return [
    `${at.toFixed(0).padStart(4)} s`,
    String(answered).padStart(6),
    `  ${bar(reachedA, most)} ${String(reachedA).padStart(4)} `,
    ` ${bar(reachedB, most)} ${String(reachedB).padStart(4)} `,
    ` ${breaker.padEnd(12)}`,
    String(failed).padStart(7),
    (firstTokenMs === null ? "–" : `${firstTokenMs.toFixed(0)} ms`).padStart(13),
  ].join(" ");
}

function bar(value: number, most: number): string {
  const filled = value === 0 ? 0 : Math.max(1, Math.round((value / most) * barWidth));
  return "█".repeat(filled).padEnd(barWidth, "·");
}

const phaseNames: Readonly<Record<Phase, string>> = {
  before: "both providers well",
  during: "sandbox-a failing",
  after: "sandbox-a back",
  cut: "sandbox-a cuts streams",
};

/** @param cut how many streams were cut in the middle */
export function summary(tally: Tally, cut: number): string[] {
  const lines = ["", "What the application saw:", ""];
  lines.push("                         requests   failed   first token: median      p95");
  for (const phase of phases) {
    const { requests, failed, medianFirstTokenMs, p95FirstTokenMs } = tally.figures(phase);
    lines.push(
      `  ${phaseNames[phase].padEnd(22)} ${String(requests).padStart(8)} ${String(failed).padStart(8)} ${ms(medianFirstTokenMs).padStart(21)} ${ms(p95FirstTokenMs).padStart(8)}`,
    );
  }
  const failures = tally.failures.length;
  lines.push(
    "",
    `  ${cut} streams were cut in the middle${failures === 0 ? ", and each was completed to the letter" : ""}.`,
    "",
    failures === 0
      ? `${tally.requests} requests, 0 failed: the application noticed nothing.`
      : `${failures} of ${tally.requests} requests failed. The first: ${tally.failures[0]}`,
  );
  return lines;
}

function ms(value: number | null): string {
  return value === null ? "–" : `${value.toFixed(0)} ms`;
}
