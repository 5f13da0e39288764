import type { AttemptKind, Deployment } from "@tuloy/contract";

import type { Call } from "./attempt.ts";
import type { Permit } from "./breaker.ts";
import type { KeyLease } from "./key-pool.ts";
import type { Pace } from "./pace.ts";

/** A call with what the course notes about it while it runs. */
export class LiveCall implements Call {
  readonly deployment: Deployment;
  readonly key: KeyLease;
  readonly permit: Permit;
  readonly kind: AttemptKind;
  readonly startedAt: number;
  readonly firstTokenMs: number;
  /** Of its deployment; counts this call until it ends. */
  readonly pace: Pace;
  /** It passed its first-token limit and was counted for that. */
  slow = false;
  /** Its first content came later than the breaker's settings call normal. */
  late = false;
  /** Its success was settled at the commit, as a trial's is. */
  proven = false;
  /** When its first content came, by the clock; null: not yet, or not as a stream. */
  committedAt: number | null = null;
  ended = false;
  /** Its first content is here, though held back until all of it is: nobody is called beside it any more. */
  answering = false;
  /** When another may be called beside it because it has not answered yet. */
  hedgeAt = Infinity;

  constructor(
    deployment: Deployment,
    leave: { readonly key: KeyLease; readonly permit: Permit },
    kind: AttemptKind,
    limits: { readonly startedAt: number; readonly firstTokenMs: number; readonly pace: Pace },
  ) {
    this.deployment = deployment;
    this.key = leave.key;
    this.permit = leave.permit;
    this.kind = kind;
    this.startedAt = limits.startedAt;
    this.firstTokenMs = limits.firstTokenMs;
    this.pace = limits.pace;
    this.pace.inFlight += 1;
  }

  /** Output came of it. */
  get committed(): boolean {
    return this.committedAt !== null;
  }

  get trial(): boolean {
    return this.permit.kind === "trial";
  }
}
