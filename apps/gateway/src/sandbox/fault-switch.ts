import type { SandboxFault } from "./faults.ts";

/** Which requests a fault strikes. */
export interface FaultScope {
  /** Of the requests, from 0 to 1. Default 1: all. */
  readonly share?: number;
  /** The fault ends by itself after striking so many requests. Default: it stays. */
  readonly count?: number;
}

/** The fault that is switched on for requests in general. */
export class FaultSwitch {
  readonly #random: () => number;
  #fault: SandboxFault | null = null;
  #share = 1;
  #left = Number.POSITIVE_INFINITY;

  constructor(random: () => number) {
    this.#random = random;
  }

  get fault(): SandboxFault | null {
    return this.#fault;
  }

  /** @throws RangeError when the scope is none */
  set(fault: SandboxFault | null, { share = 1, count = Number.POSITIVE_INFINITY }: FaultScope): void {
    if (!(share >= 0 && share <= 1)) throw new RangeError("share must be from 0 to 1");
    if (!(count >= 1)) throw new RangeError("count must be at least 1");
    if (fault?.name === "refuse" && (share !== 1 || Number.isFinite(count))) {
      throw new RangeError("refuse takes no scope: a server that is gone is gone for everyone");
    }
    this.#fault = fault;
    this.#share = share;
    this.#left = count;
  }

  /** The fault for the next request; null when it is spared. */
  next(): SandboxFault | null {
    const fault = this.#fault;
    if (fault === null || (this.#share < 1 && this.#random() >= this.#share)) return null;
    this.#left--;
    if (this.#left === 0) this.#fault = null;
    return fault;
  }
}
