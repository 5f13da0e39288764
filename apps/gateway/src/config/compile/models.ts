import { blendedUsd } from "@tuloy/catalog";
import type { Catalog, ComparedModel } from "@tuloy/catalog";
import type { Config, Deployment } from "@tuloy/contract";

import { canonicalName, factsOfFile, type Serving } from "../deployments.ts";
import type { ModelEntry } from "../snapshot.ts";

export function modelsOf(
  config: Config,
  deployments: readonly Deployment[],
  catalog: Catalog,
): Map<string, ModelEntry> {
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

export function aliasesOf(
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

export function ownIdsOf(deployments: readonly Deployment[]): Map<string, Map<string, string>> {
  const all = new Map<string, Map<string, string>>();
  for (const { provider, upstreamModel, model } of deployments) {
    let ids = all.get(provider);
    if (ids === undefined) all.set(provider, (ids = new Map()));
    // Two models under one id: the first in the file is what the id means.
    if (!ids.has(upstreamModel)) ids.set(upstreamModel, model);
  }
  return all;
}
