import type { Clock, Timer } from "@tuloy/contract";
import { Health } from "@tuloy/routing";

import type { LiveConfig } from "../../config/live.ts";
import { takeKeys } from "../../config/take-keys.ts";
import type { Snapshot } from "../../config/snapshot.ts";
import type { Principal } from "../../config/key-ring.ts";
import type { Observer } from "../../observe/observer.ts";
import { newTraceId } from "../../relay/trace-id.ts";
import type { SandboxFault } from "../../sandbox/faults.ts";
import type { DrillBoard, RequestDrill, RunningDrills } from "../../upstream/drills/board.ts";
import { DrilledOutlet } from "../../upstream/drills/drilled-outlet.ts";
import type { Outlet } from "../../upstream/outlet.ts";
import type { Isolation } from "../isolation.ts";
import { Drill, type DrillEnd } from "./drill.ts";
import { inScope, type DrillScope, type DrillTarget } from "./scope.ts";
import { describeDrill } from "./words.ts";

export interface DrillsContext {
  readonly board: DrillBoard;
  readonly config: LiveConfig;
  readonly isolation: Isolation;
  readonly outlet: Outlet;
  readonly observer: Observer;
  readonly clock: Clock;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
}

/** What is asked for when a drill is started. */
export interface DrillOrder {
  readonly target: DrillTarget;
  readonly fault: SandboxFault;
  readonly scope: DrillScope;
  readonly forMs: number;
}

/** More at a time would make nobody the wiser, and every request in scope is compared with each. */
const mostAtATime = 20;
/** How many that have ended are still listed. */
const endedKept = 50;

/** The drills of this process. They live in memory: a restart ends them. */
export class Drills implements RunningDrills {
  readonly #context: DrillsContext;
  /** In the order of their starts. */
  #underWay: readonly { readonly drill: Drill; readonly timer: Timer; readonly release: () => void }[] = [];
  #ended: readonly Drill[] = [];

  constructor(context: DrillsContext) {
    this.#context = context;
  }

  /** Those under way, oldest first, then those that ended of late, newest first. */
  list(): readonly Drill[] {
    return [...this.#underWay.map(({ drill }) => drill), ...this.#ended];
  }

  find(id: string): Drill | null {
    return this.list().find(({ drillId }) => drillId === id) ?? null;
  }

  /** @returns null when too many are under way */
  start(order: DrillOrder): Drill | null {
    if (this.#underWay.length >= mostAtATime) return null;
    const { board, config, isolation, clock, random, observer } = this.#context;
    // Its state is its own, so none of its breakers and keys ever raises an alert.
    const health = new Health({ random });
    const take = (snapshot: Snapshot): void => takeKeys(health, snapshot);
    take(config.current);
    const forgetConfig = config.onChange(take);
    const forgetIsolation = isolation.alsoFor(health);
    const drill = new Drill({ ...order, id: newDrillId(clock), health, clock });
    const release = (): void => {
      forgetConfig();
      forgetIsolation();
    };
    const timer = clock.after(order.forMs, () => this.end(drill.drillId, "time"));
    this.#underWay = [...this.#underWay, { drill, timer, release }];
    board.running = this;
    observer.alert("drill_started", drill.drillId, `Drill ${drill.drillId} has begun: ${describeDrill(drill)}.`);
    return drill;
  }

  /** @returns the drill, also when it had ended before; null when there is none of this id */
  end(id: string, because: DrillEnd): Drill | null {
    const { board, observer } = this.#context;
    const found = this.#underWay.find(({ drill }) => drill.drillId === id);
    if (found === undefined) return this.find(id);
    const { drill, timer, release } = found;
    this.#underWay = this.#underWay.filter((other) => other !== found);
    if (this.#underWay.length === 0) board.running = null;
    timer.cancel();
    drill.end(because);
    release();
    this.#ended = [drill, ...this.#ended].slice(0, endedKept);
    observer.alert("drill_ended", id, `Drill ${id} is over (${endings[because]}): ${counts(drill)}.`);
    return drill;
  }

  endAll(): void {
    for (const { drill } of this.#underWay) this.end(drill.drillId, "shutdown");
  }

  of(principal: Principal, tags: Readonly<Record<string, string>>): RequestDrill | null {
    const drills = this.#underWay.flatMap(({ drill }) => (inScope(drill.scope, principal, tags) ? [drill] : []));
    const [first] = drills;
    if (first === undefined) return null;
    first.countRequest();
    return { id: first.drillId, health: first.health, outlet: new DrilledOutlet(this.#context.outlet, drills) };
  }
}

const endings: Readonly<Record<DrillEnd, string>> = {
  time: "its time was up",
  stopped: "it was stopped",
  shutdown: "the gateway is shutting down",
};

function counts({ requests, calls }: Drill): string {
  return `${requests} ${requests === 1 ? "request was" : "requests were"} in its scope, its fault was laid over ${calls} ${calls === 1 ? "call" : "calls"}`;
}

/** Begins with the time, as trace ids do: so its traces can be found without reading those before it. */
function newDrillId(clock: Clock): string {
  return `drill-${newTraceId(clock.wall()).slice(0, 18)}`;
}
