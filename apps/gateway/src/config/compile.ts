import { createHash } from "node:crypto";

import { blendedUsd, builtInCatalog } from "@tuloy/catalog";
import type { Catalog, ComparedModel } from "@tuloy/catalog";
import type {
  Config,
  Deployment,
  FailoverConfig,
  FailoverSettings,
  MaxPrice,
  ProbeSettings,
  ProviderConfig,
  RouteConfig,
} from "@tuloy/contract";
import { failoverPreset } from "@tuloy/routing";
import type { KeyReservation } from "@tuloy/routing";

import { visibilityOf } from "./addresses.ts";
import { baseUrlOf, regionOf } from "./base-url.ts";
import { canonicalName, factsOfFile, fileOrganization as organization, servingsOf } from "./deployments.ts";
import type { Serving } from "./deployments.ts";
import { KeyRing } from "./key-ring.ts";
import { presetFor } from "./preset-for.ts";
import type { ModelEntry, Provider, Route, RouteMatch, Snapshot } from "./snapshot.ts";

const minute = 60_000;

type ProviderKeyConfig = ProviderConfig["keys"][number];

/** The key of a gateway whose file names none: itself, or its digest with the secret it was made with. */
export type OwnKey = { readonly value: string } | { readonly secret: Buffer; readonly digest: string };

/**
 * Compiles a configuration that `loadConfig` accepted.
 * @param text what it was read from, for the version
 * @param sandboxUrls the base URLs of the simulated providers, which are known once they listen, by provider
 * @param ownKey holds only while the file names no key
 * @throws when a sandbox provider has no URL: a fault of the caller, not of the file
 */
export function compile(
  config: Config,
  text: string,
  sandboxUrls: ReadonlyMap<string, string>,
  ownKey: OwnKey | null = null,
  catalog: Catalog = builtInCatalog,
): Snapshot {
  const servings = servingsOf(config, catalog);
  const deployments = servings.map((serving) => serving.deployment);
  const models = entries(config, deployments, catalog);
  return {
    version: createHash("sha256").update(text).digest("hex").slice(0, 12),
    keyRing: keyRingOf(config, ownKey),
    providers: providers(config, sandboxUrls),
    models,
    aliases: aliasesOf(models, servings, catalog),
    ownIds: ownIdsOf(deployments),
    routes: routesOf(config, catalog),
    catalog,
  };
}

function keyRingOf(config: Config, ownKey: OwnKey | null): KeyRing {
  if (config.keys.length === 0 && ownKey !== null) {
    const principal = { organization, workspace: "default", environment: "production", key: "first-key" };
    return "digest" in ownKey
      ? new KeyRing([{ ...principal, digest: ownKey.digest }], ownKey.secret)
      : new KeyRing([{ ...principal, value: ownKey.value }]);
  }
  return new KeyRing(
    config.keys.map(({ name, value, workspace, environment }) => ({
      value,
      organization,
      workspace,
      environment,
      key: name,
    })),
  );
}

function entries(config: Config, deployments: readonly Deployment[], catalog: Catalog): Map<string, ModelEntry> {
  const byModel = Map.groupBy(deployments, (deployment) => deployment.model);
  const models = new Map<string, ModelEntry>();
  for (const [model, served] of byModel) {
    const [first] = served;
    if (first === undefined) continue;
    const said = factsOfFile(config, model, catalog);
    models.set(model, {
      model,
      operation: first.operation,
      deployments: served,
      equivalents: said?.equivalents?.map((name) => canonicalName(name, catalog)) ?? [],
      compared: comparedOf(model, first, served, said?.tier ?? catalog.model(model)?.tier ?? null),
    });
  }
  return models;
}

/** A model as it is served here: by its first deployment's facts and its lowest price. */
function comparedOf(
  name: string,
  { capabilities, hiddenReasoning, contextTokens }: Deployment,
  served: readonly Deployment[],
  tier: number | null,
): ComparedModel {
  const prices = served.flatMap(({ price }) => (price === null ? [] : [blendedUsd(price)]));
  return {
    name,
    capabilities,
    hiddenReasoning,
    contextTokens,
    tier,
    usdPerMillion: prices.length === 0 ? null : Math.min(...prices),
  };
}

function aliasesOf(
  models: ReadonlyMap<string, ModelEntry>,
  servings: readonly Serving[],
  catalog: Catalog,
): Map<string, string> {
  const aliases = new Map<string, string>();
  for (const model of models.keys()) {
    for (const alias of catalog.model(model)?.aliases ?? []) aliases.set(alias, model);
  }
  // A model that the file calls by its id at a provider is asked for by that too.
  for (const { deployment, path } of servings) {
    const written = path?.at(-1);
    if (written !== undefined && !models.has(written)) aliases.set(written, deployment.model);
  }
  return aliases;
}

function ownIdsOf(deployments: readonly Deployment[]): Map<string, Map<string, string>> {
  const all = new Map<string, Map<string, string>>();
  for (const { provider, upstreamModel, model } of deployments) {
    let ids = all.get(provider);
    if (ids === undefined) all.set(provider, (ids = new Map()));
    // Two models under one id: the first in the file is what the id means.
    if (!ids.has(upstreamModel)) ids.set(upstreamModel, model);
  }
  return all;
}

function providers(config: Config, sandboxUrls: ReadonlyMap<string, string>): Map<string, Provider> {
  return new Map(
    Object.entries(config.providers).map(([name, provider]) => {
      const preset = presetFor(provider.kind);
      const base = sandboxUrls.get(name) ?? baseUrlOf(provider);
      if (base === null) throw new Error(`provider ${name} has no base URL`);
      const visibility = visibilityOf(provider, new URL(base));
      return [
        name,
        {
          name,
          preset,
          baseUrl: base.replace(/\/+$/, ""),
          visibility,
          region: regionOf(provider),
          project: provider.project ?? null,
          location: provider.location ?? null,
          continuation: provider.continuation ?? preset.continuation,
          keys: provider.keys.map((key, index) => ({
            name: key.name ?? defaultKeyName(index),
            value: key.value,
            weight: key.weight,
            limits: {
              rpm: key.limits.rpm ?? null,
              tpm: key.limits.tpm ?? null,
              concurrency: key.limits.concurrency ?? null,
            },
            reserved: reservationOf(key),
          })),
          probes: probesOf(provider, visibility),
        },
      ];
    }),
  );
}

function reservationOf({ environments, workspaces }: ProviderKeyConfig): KeyReservation | null {
  if (environments === undefined && workspaces === undefined) return null;
  return {
    environments: environments === undefined ? null : new Set(environments),
    workspaces: workspaces === undefined ? null : new Set(workspaces),
  };
}

/** A private provider's probes cost nothing but its own time, and nobody else's status page tells of it. */
function probesOf({ probes }: ProviderConfig, visibility: Provider["visibility"]): ProbeSettings {
  const isPrivate = visibility === "private";
  return {
    everyMs: probes.every === undefined ? (isPrivate ? minute : 5 * minute) : probes.every,
    jitter: probes.jitter,
    dailyCostUsd: probes.daily_cost,
    targets: probes.targets ?? (isPrivate ? "all" : "backups"),
  };
}

export function defaultKeyName(index: number): string {
  return `key-${index + 1}`;
}

function routesOf(config: Config, catalog: Catalog): Route[] {
  const routes = config.routes.map((route) => routeOf(route, catalog));
  if (!config.routes.some(matchesEverything)) {
    routes.push({
      name: "default",
      match: { operation: null, models: null, workspaces: null, environments: null, headers: null },
      strategy: "order",
      providers: null,
      weights: null,
      regions: null,
      fidelity: "same",
      quantizations: null,
      maxPrice: null,
      maxCostMultiplier: null,
      equivalents: "off",
      failover: failoverPreset("balanced"),
      reportModel: "answered",
      retention: "metadata",
    });
  }
  return routes;
}

/** Nothing after such a route is ever reached. */
export function matchesEverything({ match }: RouteConfig): boolean {
  return (
    match.operation === undefined &&
    match.models === undefined &&
    match.workspaces === undefined &&
    match.environments === undefined &&
    match.header === undefined
  );
}

function routeOf(route: RouteConfig, catalog: Catalog): Route {
  return {
    name: route.name,
    match: matchOf(route.match, catalog),
    strategy: route.strategy ?? (route.weights === undefined ? "order" : "weighted"),
    providers: route.providers ?? null,
    weights: route.weights === undefined ? null : new Map(Object.entries(route.weights)),
    regions: route.regions ?? null,
    fidelity: route.fidelity,
    quantizations: route.quantizations ?? null,
    maxPrice: maxPriceOf(route),
    maxCostMultiplier: route.failover.max_cost_multiplier ?? null,
    equivalents: route.equivalents,
    failover: settingsOf(route),
    reportModel: route.report_model,
    retention: route.retention,
  };
}

function maxPriceOf({ max_price: cap }: RouteConfig): MaxPrice | null {
  if (cap === undefined) return null;
  return { input: cap.input ?? null, output: cap.output ?? null, request: cap.request ?? null };
}

function matchOf(match: RouteConfig["match"], catalog: Catalog): RouteMatch {
  return {
    operation: match.operation ?? null,
    models: match.models?.map((glob) => globOf(glob, catalog)) ?? null,
    workspaces: match.workspaces === undefined ? null : new Set(match.workspaces),
    environments: match.environments === undefined ? null : new Set(match.environments),
    headers:
      match.header === undefined
        ? null
        : Object.entries(match.header).map(([name, value]) => [name.toLowerCase(), value] as const),
  };
}

/** `*` stands for any characters. Runs of stars are one, so that no pattern can take long to fail. */
export function globOf(glob: string, catalog: Catalog = builtInCatalog): RegExp {
  const parts = canonicalName(glob, catalog).split(/\*+/);
  return new RegExp(`^${parts.map((part) => RegExp.escape(part)).join(".*")}$`);
}

/** The preset of the route's aggressiveness with the route's own values over it. */
export function settingsOf(route: RouteConfig): FailoverSettings {
  const preset = failoverPreset(route.aggressiveness);
  const own: FailoverConfig = route.failover;
  return {
    attempts: own.attempts ?? preset.attempts,
    deadlineMs: own.deadline ?? preset.deadlineMs,
    connectMs: own.connect ?? preset.connectMs,
    firstTokenMs: own.first_token ?? preset.firstTokenMs,
    answerMs: own.answer ?? preset.answerMs,
    stallMs: own.stall ?? preset.stallMs,
    progressMs: own.progress ?? preset.progressMs,
    patienceMs: own.patience ?? preset.patienceMs,
    breaker: {
      failures: own.breaker.failures ?? preset.breaker.failures,
      rate: own.breaker.rate ?? preset.breaker.rate,
      of: own.breaker.of ?? preset.breaker.of,
      windowMs: own.breaker.window ?? preset.breaker.windowMs,
      openMs: own.breaker.open ?? preset.breaker.openMs,
      openMaxMs: own.breaker.open_max ?? preset.breaker.openMaxMs,
      slowMs: own.breaker.slow === undefined ? preset.breaker.slowMs : own.breaker.slow,
      slowRate: own.breaker.slow_rate ?? preset.breaker.slowRate,
    },
    onPartial: own.on_partial ?? preset.onPartial,
    onLimit: preset.onLimit,
    hedge: own.hedge === undefined ? preset.hedge : own.hedge === "off" ? null : own.hedge,
  };
}
