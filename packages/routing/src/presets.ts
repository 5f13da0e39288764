import type { Aggressiveness, BreakerSettings, FailoverSettings } from "@tuloy/contract";

const second = 1000;
const minute = 60 * second;

const breaker: BreakerSettings = {
  failures: 5,
  rate: 0.5,
  of: 10,
  windowMs: minute,
  openMs: 5 * second,
  openMaxMs: 20 * second,
  // A slower model is not a broken one: only whoever knows what is normal can say what is too slow.
  slowMs: null,
  slowRate: 0.8,
};

/** 9m30s: below the 10 minutes after which the official SDKs give up, so that they hear why. */
const common = {
  deadlineMs: 9.5 * minute,
  connectMs: 5 * second,
  answerMs: 2 * minute,
  progressMs: 5 * minute,
  breaker,
  onPartial: "continue",
  onLimit: "next",
  hedge: null,
} as const satisfies Partial<FailoverSettings>;

const presets: Readonly<Record<Aggressiveness, FailoverSettings>> = {
  patient: {
    ...common,
    attempts: 2,
    firstTokenMs: 30 * second,
    stallMs: minute,
    patienceMs: 10 * second,
  },
  balanced: {
    ...common,
    attempts: 3,
    firstTokenMs: 10 * second,
    stallMs: 30 * second,
    patienceMs: 3 * second,
  },
  eager: {
    ...common,
    attempts: 4,
    firstTokenMs: 4 * second,
    stallMs: 15 * second,
    patienceMs: 0,
    onLimit: "race",
    hedge: "p95",
  },
};

/** The settings that an aggressiveness stands for, before a route's own values. Times in milliseconds. */
export function failoverPreset(aggressiveness: Aggressiveness): FailoverSettings {
  return presets[aggressiveness];
}
