import {
  isolateRequest,
  restoreRequest,
  type Deployment,
  type DeploymentView,
  type isolationResult,
} from "@tuloy/contract";
import { deploymentHealth } from "@tuloy/routing";
import type { FastifyInstance } from "fastify";
import type { z } from "zod";

import { nearestFew } from "../../config/nearest.ts";
import type { ControlContext } from "../control.ts";
import type { Isolation } from "../isolation.ts";
import { ControlRefusal } from "../refusal.ts";
import { breakerWords } from "./words.ts";

type Result = z.infer<typeof isolationResult>;

/** `/control/v1/deployments`. Ids hold slashes, so what is isolated is named in the body, as the command line names it. */
export function deployments(app: FastifyInstance, { context }: { context: ControlContext }, done: () => void): void {
  const { config, isolation, observer, clock } = context;

  app.get("/", () => ({
    deployments: [...config.current.models.values()].flatMap((entry) =>
      entry.deployments.map((deployment) => viewOf(deployment, context)),
    ),
  }));

  app.post<{ Body: z.output<typeof isolateRequest> }>(
    "/isolate",
    { schema: { body: isolateRequest } },
    ({ body: { target, reason } }): Result => {
      const touched = meant(isolation, target, config.current.providers.keys());
      const notKept = isolation.isolate({ target, since: clock.wall(), reason: reason ?? null });
      const because = reason === undefined ? "" : ` (${reason})`;
      observer.alert("deployment_isolated", target, `${target} was taken out of use by hand${because}.`);
      return {
        target,
        deployments: touched.map(({ id }) => id),
        warnings: [...(notKept === null ? [] : [unkept(notKept)]), ...leftWithout(touched, context)],
      };
    },
  );

  app.post<{ Body: z.output<typeof restoreRequest> }>(
    "/restore",
    { schema: { body: restoreRequest } },
    ({ body: { target } }): Result => {
      checkIsolated(isolation, target);
      const touched = isolation.deploymentsOf(target);
      const notKept = isolation.restore(target);
      observer.alert("deployment_restored", target, `${target} was put back into use by hand.`);
      const still = touched.flatMap((deployment) => stillIsolated(isolation, deployment));
      return {
        target,
        deployments: touched.filter((deployment) => isolation.of(deployment) === null).map(({ id }) => id),
        warnings: [...(notKept === null ? [] : [unkept(notKept)]), ...still],
      };
    },
  );
  done();
}

function viewOf(deployment: Deployment, { health, isolation, clock }: ControlContext): DeploymentView {
  const now = clock.now();
  const { id, provider, model, region, operation, upstreamModel } = deployment;
  const { breaker, up, firstTokenP99Ms, keys } = deploymentHealth(health, deployment, now);
  const isolated = isolation.of(deployment);
  return {
    id,
    provider,
    model,
    region,
    operation,
    upstream_model: upstreamModel,
    breaker: breaker.state,
    why: breakerWords(breaker, isolated, now, clock.wall()),
    isolated,
    up,
    first_token_p99_ms: firstTokenP99Ms,
    keys: keys.map(({ name, obstacle }) => ({ name, obstacle })),
  };
}

function meant(isolation: Isolation, target: string, providers: Iterable<string>): readonly Deployment[] {
  const found = isolation.deploymentsOf(target);
  if (found.length > 0) return found;
  const names = [...providers];
  const ids = names.flatMap((name) => isolation.deploymentsOf(name).map(({ id }) => id));
  const near = nearestFew(target, [...names, ...ids], 3);
  throw new ControlRefusal(
    "not_found",
    `There is no provider or deployment "${target.slice(0, 300)}"${near.length > 0 ? `; nearest: ${near.join(", ")}` : ""}.`,
  );
}

function checkIsolated(isolation: Isolation, target: string): void {
  if (isolation.list.some((isolated) => isolated.target === target)) return;
  const [deployment] = isolation.deploymentsOf(target);
  const wider = deployment === undefined ? null : isolation.of(deployment);
  if (wider === null) throw new ControlRefusal("not_found", `Nothing is isolated as "${target.slice(0, 300)}".`);
  throw new ControlRefusal(
    "conflict",
    `${target} is isolated as part of ${wider.target}: restore ${wider.target}, and isolate again what is to stay out of use.`,
  );
}

/** Models for which nothing is left. */
function leftWithout(touched: readonly Deployment[], { config, isolation }: ControlContext): string[] {
  const models = [...new Set(touched.map(({ model }) => model))];
  return models
    .filter((model) =>
      (config.current.models.get(model)?.deployments ?? []).every((deployment) => isolation.of(deployment) !== null),
    )
    .map((model) => `${model} has no other deployment: requests for it fail now.`);
}

function stillIsolated(isolation: Isolation, deployment: Deployment): string[] {
  const other = isolation.of(deployment);
  return other === null ? [] : [`${deployment.id} stays out of use: ${other.target} is isolated too.`];
}

function unkept(code: string): string {
  return `This holds now, but it could not be written to the data directory (${code}) and will not outlive a restart.`;
}
