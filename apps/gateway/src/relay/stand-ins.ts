import { clientError, type ClientError, type RoutingOverrides } from "@tuloy/contract";

import { resolveModel } from "../config/match.ts";
import type { ModelEntry, Snapshot } from "../config/snapshot.ts";
import { modelNotFound } from "./model-not-found.ts";

/** A model that may stand in for the one that was asked for. */
export interface StandIn {
  readonly entry: ModelEntry;
  /** The only provider of it that is meant, or null. */
  readonly lock: string | null;
}

/** A request's overrides in the configuration's own names. */
export interface ResolvedOverrides {
  readonly overrides: RoutingOverrides;
  readonly standIns: readonly StandIn[];
}

/**
 * Finds the models and providers that a request's overrides name. A provider that is not configured stays as it is written: lists
 * are written for several gateways, and what names nobody moves nothing.
 */
export function resolveOverrides(
  overrides: RoutingOverrides,
  asked: StandIn,
  snapshot: Snapshot,
  organization: string | null = null,
): ResolvedOverrides | ClientError {
  const standIns = resolveStandIns(overrides.models, asked, snapshot, organization);
  if ("code" in standIns) return standIns;
  const { order, only, ignore } = overrides;
  return {
    overrides: {
      ...overrides,
      order: providerNames(order, snapshot),
      only: providerNames(only, snapshot),
      ignore: providerNames(ignore, snapshot),
      models: standIns.map(({ entry }) => entry.model),
    },
    standIns,
  };
}

function resolveStandIns(
  names: readonly string[],
  asked: StandIn,
  snapshot: Snapshot,
  organization: string | null,
): StandIn[] | ClientError {
  const found: StandIn[] = [];
  for (const name of names) {
    const resolved = resolveModel(snapshot, name, organization);
    if ("notFound" in resolved) return modelNotFound(name, resolved.nearest, "models");
    const { entry, lock } = resolved;
    if (entry.operation !== asked.entry.operation) {
      return clientError(
        "invalid_request",
        `${entry.model} serves ${entry.operation}, so it cannot stand in for ${asked.entry.model}: take it out of models.`,
        { param: "models" },
      );
    }
    const same = ({ entry: other, lock: to }: StandIn): boolean => other === entry && (to === null || to === lock);
    if (!same(asked) && !found.some(same)) found.push({ entry, lock });
  }
  const other = found.find(({ entry }) => entry !== asked.entry);
  if (other !== undefined && asked.entry.operation === "embeddings") {
    return clientError(
      "invalid_request",
      `Vectors of ${other.entry.model} cannot be compared with those of ${asked.entry.model}: embeddings have no stand-ins, leave models out.`,
      { param: "models" },
    );
  }
  // A lock is kept whatever else a request says.
  return asked.lock === null ? found : [];
}

/** OpenRouter's own pages write `OpenAI` as well as `openai`, so case does not matter where no name fits exactly. */
function providerNames(names: readonly string[] | null, { providers }: Snapshot): readonly string[] | null {
  return names?.map((name) => (providers.has(name) ? name : (sameButCase(name, providers.keys()) ?? name))) ?? null;
}

function sameButCase(name: string, known: Iterable<string>): string | undefined {
  const lower = name.toLowerCase();
  for (const candidate of known) if (candidate.toLowerCase() === lower) return candidate;
  return undefined;
}
