import type { Sample } from "./load.ts";

/** The parts of the demo's story. */
export const phases = ["before", "during", "after", "cut"] as const;
export type Phase = (typeof phases)[number];

export interface PhaseFigures {
  readonly requests: number;
  readonly failed: number;
  /** Milliseconds; null when nothing streamed. */
  readonly medianFirstTokenMs: number | null;
  readonly p95FirstTokenMs: number | null;
}

/** Collects what the application saw, by phase. A request belongs to the phase in which it was sent. */
export class Tally {
  readonly #samples: Record<Phase, Sample[]> = { before: [], during: [], after: [], cut: [] };
  readonly #failures: string[] = [];
  phase: Phase = "before";
  #phaseStarts: { readonly phase: Phase; readonly at: number }[] = [];

  enter(phase: Phase, now: number): void {
    this.phase = phase;
    this.#phaseStarts.push({ phase, at: now });
  }

  add(sample: Sample): void {
    this.#samples[this.#phaseOf(sample.sentAt)].push(sample);
    if (sample.failed !== null) this.#failures.push(sample.failed);
  }

  get requests(): number {
    return phases.reduce((sum, phase) => sum + this.#samples[phase].length, 0);
  }

  get failures(): readonly string[] {
    return this.#failures;
  }

  figures(phase: Phase): PhaseFigures {
    const samples = this.#samples[phase];
    const times = samples
      .flatMap(({ firstTokenMs }) => (firstTokenMs === null ? [] : [firstTokenMs]))
      .sort((a, b) => a - b);
    return {
      requests: samples.length,
      failed: samples.filter(({ failed }) => failed !== null).length,
      medianFirstTokenMs: quantile(times, 0.5),
      p95FirstTokenMs: quantile(times, 0.95),
    };
  }

  #phaseOf(sentAt: number): Phase {
    return this.#phaseStarts.findLast(({ at }) => at <= sentAt)?.phase ?? "before";
  }
}

/** @param sorted ascending */
function quantile(sorted: readonly number[], share: number): number | null {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null;
}
