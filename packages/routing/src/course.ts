import type { Exclusion, Failure } from "@tuloy/contract";

import type { Call, CourseInput, Step } from "./attempt.ts";
import type { Health } from "./health.ts";

/** Signatures first; the law follows in the next commit. */
export class Course {
  /** Deployments passed over on the way, for the trace. */
  exclusions: readonly Exclusion[] = [];
  constructor(_input: CourseInput, _health: Health, _random: () => number) {}
  next(_now: number): Step {
    throw new Error("not written yet");
  }
  /** First content reached the client, `firstTokenMs` after the call's start. */
  committed(_call: Call, _now: number, _firstTokenMs: number): void {}
  /** A whole answer; `tokens`: input plus output used, or null when unknown. */
  finished(_call: Call, _now: number, _tokens: number | null): void {}
  /** Before the commit. */
  failed(_call: Call, _failure: Failure, _now: number): void {}
  /** After the commit. */
  broke(_call: Call, _failure: Failure, _now: number): void {}
  /** The client went away; null: during a wait. */
  cancelled(_call: Call | null, _now: number): void {}
  /** The first-token limit passed, but the call goes on since `canMoveOn` is false. */
  slow(_call: Call, _now: number): void {}
  canMoveOn(_now: number): boolean {
    throw new Error("not written yet");
  }
}
