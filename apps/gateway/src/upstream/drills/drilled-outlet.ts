import type { Deployment } from "@tuloy/contract";

import type { SandboxFault } from "../../sandbox/faults.ts";
import type { CallHandler, Outlet, UpstreamRequest } from "../outlet.ts";
import { Disturbance } from "./disturbance.ts";
import { layingOf } from "./laying.ts";
import type { FaultHost } from "./line.ts";
import { StandIn } from "./stand-in.ts";

/** A fault, where it strikes, and for how long. */
export interface LaidFault extends FaultHost {
  readonly drillId: string;
  readonly fault: SandboxFault;
  /** It is under way, and this deployment is its target. */
  takes(deployment: Deployment): boolean;
  /** It is laid over one more call. */
  count(): void;
}

/**
 * The way out for a request in the scope of drills: calls to what they target meet the fault of the first that does, all
 * others go out as they are.
 */
export class DrilledOutlet implements Outlet {
  readonly #real: Outlet;
  readonly #faults: readonly LaidFault[];

  constructor(real: Outlet, faults: readonly LaidFault[]) {
    this.#real = real;
    this.#faults = faults;
  }

  dispatch(request: UpstreamRequest, handler: CallHandler): Error | null {
    const laid = this.#faultFor(request);
    if (laid === undefined) return this.#real.dispatch(request, handler);
    handler.drilledBy(laid.drillId);
    laid.count();
    const laying = layingOf(laid.fault);
    if ("disturbs" in laying) {
      return this.#real.dispatch(request, new Disturbance(laying.disturbs, request, handler, laid));
    }
    new StandIn(laying.replaces, request, handler, laid).start();
    return null;
  }

  /** A call that a stand-in answered never comes here: it had no connection that could have been an old one. */
  dispatchFresh(request: UpstreamRequest, handler: CallHandler): void {
    const laid = this.#faultFor(request);
    const laying = laid && layingOf(laid.fault);
    const disturbed = laying && "disturbs" in laying;
    this.#real.dispatchFresh(request, disturbed ? new Disturbance(laying.disturbs, request, handler, laid) : handler);
  }

  #faultFor({ deployment }: UpstreamRequest): LaidFault | undefined {
    return this.#faults.find((laid) => laid.takes(deployment));
  }
}
