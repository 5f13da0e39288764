import type { Health } from "@tuloy/routing";

import type { Principal } from "../../config/key-ring.ts";
import type { Outlet } from "../outlet.ts";

/** What takes the place of the process's own for a request in the scope of a drill. */
export interface RequestDrill {
  readonly id: string;
  /** Breakers, keys, latencies and retry budget of the drill's own: what it makes fail is not blamed on a provider. */
  readonly health: Health;
  readonly outlet: Outlet;
}

/** The drills under way. */
export interface RunningDrills {
  /** The drill in whose scope a request is: the first that was started, when there are several. */
  of(principal: Principal, tags: Readonly<Record<string, string>>): RequestDrill | null;
  /** Ends all of them, at once. */
  endAll(): void;
}

/** Where requests look for drills. All of a drill's code is loaded with the first one; until then there is nothing to see here. */
export interface DrillBoard {
  /** Null: no drill is under way. */
  running: RunningDrills | null;
}
