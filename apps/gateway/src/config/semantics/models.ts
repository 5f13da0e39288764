import type { Catalog } from "@tuloy/catalog";
import type { Config, ConfigIssue } from "@tuloy/contract";
import { dialectsFor } from "@tuloy/dialects";

import { canonicalName, modelUnder, type Serving } from "../deployments.ts";
import { offerFor } from "../offered.ts";
import { presetFor } from "../preset-for.ts";
import { issue, repeated, type IssuePath } from "./issue.ts";

/** One model under two names would be two entries of which one is lost. */
export function duplicateModels(config: Config, catalog: Catalog): ConfigIssue[] {
  const own = Object.keys(config.models);
  const lists: [IssuePath, string[], string[]][] = [[["models"], own, own.map((name) => canonicalName(name, catalog))]];
  for (const [name, provider] of Object.entries(config.providers)) {
    const names = Object.keys(provider.models ?? {});
    const path = ["providers", name, "models"];
    lists.push([path, names, names.map((model) => modelUnder(config, provider, model, catalog))]);
  }
  return lists.flatMap(([path, names, models]) =>
    repeated(models, (index, first) =>
      issue([...path, names[index] ?? ""], `is the same model as ${names[first]}`, { at: "key" }),
    ),
  );
}

/** Faults of what providers say that they serve, by themselves and beside each other. */
export function servingIssues(config: Config, servings: readonly Serving[], catalog: Catalog): ConfigIssue[] {
  const found: ConfigIssue[] = [];
  const firsts = new Map<string, Serving>();
  for (const serving of servings) {
    const { deployment, path } = serving;
    const first = firsts.get(deployment.model);
    if (first === undefined) firsts.set(deployment.model, serving);
    const message =
      notServed(config, serving) ??
      nowhereHere(config, serving, catalog) ??
      foreignId(serving, catalog) ??
      (first === undefined ? null : disagreement(first, serving));
    // Where a provider serves what its kind does, no line names the model: then the line that disagrees is the other one.
    const at = path ?? first?.path ?? ["providers", deployment.provider];
    if (message !== null) found.push(issue(at, message, { at: "key" }));
  }
  return found;
}

function notServed(config: Config, { deployment }: Serving): string | null {
  const kind = config.providers[deployment.provider]?.kind;
  if (kind === undefined || deployment.dialects.length > 0) return null;
  const { operation, upstreamModel } = deployment;
  const endpoints = presetFor(kind).endpoints[operation];
  if (endpoints === undefined) return `is for ${operation}, which kind: ${kind} does not serve`;
  const spoken = dialectsFor(presetFor(kind), operation, upstreamModel);
  return spoken.length === 0
    ? `has the id ${upstreamModel}, but those of kind: ${kind} begin with ${endpoints.map(({ idPrefix }) => idPrefix).join(" or ")}; write its own id`
    : `is to be asked in a dialect that kind: ${kind} does not have for it; it has ${spoken.join(", ")}`;
}

/** Its kind is known to serve the model, and under no id where this provider computes: the model's name would be refused as an id. */
function nowhereHere(config: Config, { deployment, path }: Serving, catalog: Catalog): string | null {
  const provider = config.providers[deployment.provider];
  const written = path?.at(-1);
  if (provider === undefined || typeof written !== "string" || provider.models?.[written]?.id !== undefined)
    return null;
  if (catalog.model(written) === null || offerFor(provider, deployment.model, catalog) !== null) return null;
  const { kind } = provider;
  const known = catalog.offers(kind).filter(({ model, variant, answered }) => {
    return model === deployment.model && variant === null && answered;
  });
  if (known.length === 0) return null;
  const ids = known.map(({ id }) => id).join(", ");
  return `is known at kind: ${kind} under ${ids}, for other places than this provider's; write the id that it has here`;
}

/** An id that is known to mean another model: answers would come from a model that nobody asked for. */
function foreignId({ deployment, dimensions }: Serving, catalog: Catalog): string | null {
  const meant = catalog.model(deployment.upstreamModel);
  const named = catalog.model(deployment.model);
  if (meant === null || named === null || meant === named) return null;
  if (meant.operation !== named.operation || dimensions !== named.dimensions) {
    return `is served under the id of ${meant.name}, which is another model`;
  }
  return null;
}

function disagreement(first: Serving, serving: Serving): string | null {
  const { operation, provider } = first.deployment;
  if (serving.deployment.operation !== operation) {
    return `is for ${serving.deployment.operation} here and for ${operation} at ${provider}; a model has one operation`;
  }
  if (first.dimensions === null || serving.dimensions === null || first.dimensions === serving.dimensions) return null;
  return (
    `has ${serving.dimensions} dimensions here and ${first.dimensions} at ${provider}: ` +
    "vectors of the two could not be compared; give it another name"
  );
}

/** Faults of the models that the file lists as equivalents. */
export function equivalentIssues(config: Config, servings: readonly Serving[], catalog: Catalog): ConfigIssue[] {
  const served = new Map(servings.map(({ deployment }) => [deployment.model, deployment.operation]));
  return Object.entries(config.models).flatMap(([model, { equivalents = [] }]) => {
    const own = served.get(canonicalName(model, catalog));
    const seen = new Set<string>();
    return equivalents.flatMap((name, position) => {
      const at = ["models", model, "equivalents", position];
      const canonical = canonicalName(name, catalog);
      const operation = served.get(canonical);
      const repeated = seen.has(canonical);
      seen.add(canonical);
      if (operation === undefined) {
        return [issue(at, "is served by no provider of this file", { valid: [...served.keys()] })];
      }
      if (canonical === canonicalName(model, catalog)) return [issue(at, "is the model itself")];
      if (repeated) return [issue(at, "is listed before")];
      if (operation === "embeddings") {
        return [issue(at, "is for embeddings, which have no equivalents: vectors of two models cannot be compared")];
      }
      return own === undefined || own === operation ? [] : [issue(at, `is for ${operation}, and the model for ${own}`)];
    });
  });
}
