import { drillRequest, type DrillView } from "@tuloy/contract";
import type { FastifyInstance } from "fastify";
import type { z } from "zod";

import { nearestFew } from "../../config/nearest.ts";
import type { Snapshot } from "../../config/snapshot.ts";
import { faultNames, parseFault, type SandboxFault } from "../../sandbox/faults.ts";
import type { ControlContext } from "../control.ts";
import { ControlRefusal } from "../refusal.ts";
import type { Drill } from "./drill.ts";
import { Drills } from "./drills.ts";
import { isTarget, type DrillScope, type DrillTarget } from "./scope.ts";
import { describeDrill, faultText, targetText } from "./words.ts";

/** What was recorded is written within a tenth of a second; a store in trouble is not waited for longer than this. Milliseconds. */
const flushMs = 1000;

/** `/control/v1/drills` */
export function drills(app: FastifyInstance, { context }: { context: ControlContext }, done: () => void): void {
  const running = new Drills(context);

  app.get("/", () => ({ drills: running.list().map(viewOf) }));

  app.post<{ Body: z.output<typeof drillRequest> }>("/", { schema: { body: drillRequest } }, (request, reply) => {
    const drill = running.start(order(request.body, context.config.current));
    if (drill === null) throw new ControlRefusal("conflict", "Too many drills are under way: stop one first.");
    return reply.code(201).send(viewOf(drill));
  });

  app.get<{ Params: { id: string } }>("/:id", ({ params }) => viewOf(known(running.find(params.id), params.id)));

  app.delete<{ Params: { id: string } }>("/:id", async ({ params }) => {
    const drill = known(running.end(params.id, "stopped"), params.id);
    // Whoever stops it looks at its traces next.
    await written(context);
    return viewOf(drill);
  });
  done();
}

function known(drill: Drill | null, id: string): Drill {
  if (drill !== null) return drill;
  throw new ControlRefusal(
    "not_found",
    `There is no drill ${id.slice(0, 100)}: it may have ended with an earlier process.`,
  );
}

async function written({ ledger, clock }: ControlContext): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = clock.after(flushMs, resolve);
  await Promise.race([ledger.flush(), promise]);
  timer.cancel();
}

/** What is asked for, checked against the configuration: a drill that could touch nothing is a mistake. */
function order(asked: z.output<typeof drillRequest>, snapshot: Snapshot): Parameters<Drills["start"]>[0] {
  const target = { provider: asked.provider, model: asked.model ?? null, region: asked.region ?? null };
  checkTarget(target, snapshot);
  const { environment = null, workspace = null, key = null, tags } = asked.scope;
  const scope: DrillScope = { environment, workspace, key, tags, includeProduction: asked.include_production };
  if (environment === "production" && !asked.include_production) {
    throw new ControlRefusal(
      "production_excluded",
      "A drill does not touch production unless that is said as such: add include_production (--include-production), or choose another environment.",
    );
  }
  return { target, fault: faultOf(asked.fault), scope, forMs: asked.for };
}

function checkTarget(target: DrillTarget, { providers, models }: Snapshot): void {
  if (!providers.has(target.provider)) {
    const near = nearestFew(target.provider, [...providers.keys()], 3);
    throw new ControlRefusal(
      "invalid_request",
      `provider: there is no provider "${target.provider.slice(0, 64)}"${near.length > 0 ? `; nearest: ${near.join(", ")}` : ""}.`,
    );
  }
  const all = [...models.values()].flatMap(({ deployments }) => deployments);
  if (!all.some((deployment) => isTarget(target, deployment))) {
    throw new ControlRefusal("invalid_request", `There is no deployment ${targetText(target).slice(0, 300)}.`);
  }
}

function faultOf(text: string): SandboxFault {
  const fault = parseFault(text);
  if (fault !== null) return fault;
  throw new ControlRefusal(
    "invalid_request",
    `fault: "${text.slice(0, 64)}" is none. Choose one of ${faultNames.join(", ")}; some take a number after a colon, such as cut:5 or 429:2000.`,
  );
}

function viewOf(drill: Drill): DrillView {
  const { drillId, target, fault, scope, startedAt, forMs, ended, requests, calls } = drill;
  const { environment, workspace, key, tags, includeProduction } = scope;
  return {
    id: drillId,
    ...target,
    fault: faultText(fault),
    scope: { environment, workspace, key, tags },
    include_production: includeProduction,
    started_at: startedAt,
    ends_at: startedAt + forMs,
    ended_at: ended?.at ?? null,
    ended_because: ended?.because ?? null,
    requests,
    calls,
    description: describeDrill(drill),
  };
}
