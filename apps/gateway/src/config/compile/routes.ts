import { builtInCatalog } from "@tuloy/catalog";
import type { Catalog } from "@tuloy/catalog";
import type { Config, FailoverConfig, FailoverSettings, MaxPrice, RouteConfig } from "@tuloy/contract";
import { failoverPreset } from "@tuloy/routing";

import { canonicalName } from "../deployments.ts";
import type { Route, RouteMatch } from "../snapshot.ts";

export function routesOf(config: Config, catalog: Catalog): Route[] {
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
