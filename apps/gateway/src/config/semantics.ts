import { builtInCatalog } from "@tuloy/catalog";
import type { Catalog } from "@tuloy/catalog";
import type { Config, ConfigIssue, ProviderConfig } from "@tuloy/contract";
import { formatDuration } from "@tuloy/contract";
import { dialectsFor } from "@tuloy/dialects";

import { isInside } from "./addresses.ts";
import { baseUrlOf, placeholders } from "./base-url.ts";
import { defaultKeyName, matchesEverything, settingsOf } from "./compile.ts";
import { canonicalName, modelUnder, servingsOf } from "./deployments.ts";
import type { Serving } from "./deployments.ts";
import { credentialIssues } from "./credentials.ts";
import { automaticOffers, offerFor } from "./offered.ts";
import { presetFor } from "./preset-for.ts";
import { equivalentIssues, policyIssues } from "./route-semantics.ts";

type IssuePath = ConfigIssue["path"];

function issue(path: IssuePath, message: string, more: Partial<ConfigIssue> = {}): ConfigIssue {
  return { path, at: "value", message, valid: [], expected: null, ...more };
}

/** What a schema cannot see: faults between the parts of a configuration. Empty when it can be compiled. */
export function semanticIssues(config: Config, catalog: Catalog = builtInCatalog): ConfigIssue[] {
  const servings = servingsOf(config, catalog);
  return [
    ...callerIssues(config),
    ...Object.entries(config.providers).flatMap(([name, provider]) => providerIssues(name, provider, catalog)),
    ...duplicateModels(config, catalog),
    ...servingIssues(config, servings, catalog),
    ...equivalentIssues(config, servings, catalog),
    ...routeIssues(config),
    ...policyIssues(config, servings),
  ];
}

function callerIssues({ keys }: Config): ConfigIssue[] {
  return [
    ...repeated(
      keys.map((key) => key.name),
      (index, first) => issue(["keys", index, "name"], `is also the name of keys[${first}]`),
    ),
    ...repeated(
      keys.map((key) => key.value),
      (index, first) =>
        issue(["keys", index, "value"], `is the same as that of keys[${first}]: who is asking could not be told`),
    ),
  ];
}

/** Calls `tell` for each item that was there before. */
function repeated(items: readonly string[], tell: (index: number, first: number) => ConfigIssue): ConfigIssue[] {
  const seen = new Map<string, number>();
  const found: ConfigIssue[] = [];
  for (const [index, item] of items.entries()) {
    const first = seen.get(item);
    if (first === undefined) seen.set(item, index);
    else found.push(tell(index, first));
  }
  return found;
}

function providerIssues(name: string, provider: ProviderConfig, catalog: Catalog): ConfigIssue[] {
  const path = ["providers", name];
  const preset = presetFor(provider.kind);
  const found = [
    ...addressIssues(path, provider),
    ...providerKeyIssues(path, provider),
    ...credentialIssues(path, provider),
  ];
  if (preset.keyRequired && provider.keys.length === 0) {
    found.push(
      issue([...path, "keys"], "is missing: this kind needs a key; write keys: [{ value: ${NAME} }]", { at: "key" }),
    );
  }
  if (provider.sandbox !== undefined && provider.kind !== "sandbox") {
    found.push(issue([...path, "sandbox"], "is only for kind: sandbox", { at: "key" }));
  }
  if (provider.models !== undefined && Object.keys(provider.models).length === 0) {
    found.push(issue([...path, "models"], "is empty, so this provider serves nothing; name a model"));
  }
  if (provider.models === undefined && preset.modelsAreOwn === true) {
    const message =
      "is missing: only you know what is deployed there; write models: { its-model: { id: your-deployment } }";
    found.push(issue([...path, "models"], message, { at: "key" }));
  } else if (provider.models === undefined && automaticOffers(provider, catalog).length === 0) {
    const message = "is missing: what such a server serves cannot be known; write models: { its-model: }";
    found.push(issue([...path, "models"], message, { at: "key" }));
  }
  return found;
}

function addressIssues(path: IssuePath, provider: ProviderConfig): ConfigIssue[] {
  const { kind, base_url: baseUrl, visibility } = provider;
  const at = [...path, "base_url"];
  const placeholderIssues = placeIssues(path, provider);
  if (placeholderIssues.length > 0) return placeholderIssues;
  if (kind === "sandbox") {
    return baseUrl === undefined ? [] : [issue(at, "is not for kind: sandbox, which runs inside Tuloy", { at: "key" })];
  }
  if (baseUrl === undefined) {
    const { baseUrl: own, baseUrlForm = "http://10.0.0.5:8000/v1" } = presetFor(kind);
    if (own !== null) return [];
    return [issue(at, `is missing: write where its API is, for example ${baseUrlForm}`, { at: "key" })];
  }
  const expanded = baseUrlOf(provider) ?? "";
  const unknown = /\{[^}]*\}/.exec(expanded);
  if (unknown !== null)
    return [issue(at, `holds ${unknown[0]}, which stands for nothing; only {project} and {location} do`)];
  const url = URL.parse(expanded);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    return [issue(at, "must be an address that begins with http:// or https://")];
  }
  if (url.username !== "" || url.password !== "") {
    return [issue(at, "must not hold a user name or password: a credential belongs in keys")];
  }
  if (url.search !== "" || url.hash !== "") return [issue(at, "must not hold a ? or a #: paths are appended to it")];
  if (visibility === "public" && isInside(url)) {
    return [
      issue([...path, "visibility"], "is public, but base_url is inside your network; write private, or leave it out"),
    ];
  }
  return [];
}

/** What the address holds a place for and the file does not say, and what it says for nothing. */
function placeIssues(path: IssuePath, provider: ProviderConfig): ConfigIssue[] {
  const { kind, base_url: baseUrl } = provider;
  const template = baseUrl ?? presetFor(kind).baseUrl ?? "";
  return placeholders.flatMap((place) => {
    const held = template.includes(`{${place}}`);
    const signed = place === "location" && signsLocation(kind);
    if ((held || signed) === (provider[place] !== undefined)) return [];
    const whose = signed
      ? `what kind: ${kind} signs`
      : baseUrl === undefined
        ? `the address of kind: ${kind}`
        : "base_url";
    return held || signed
      ? [
          issue(
            [...path, place],
            `is missing: ${whose} holds {${place}}; write ${place}: ${signed ? "eu-west-1" : examples[place]}`,
            {
              at: "key",
            },
          ),
        ]
      : [issue([...path, place], `is not used: ${whose} holds no {${place}}; leave it out`, { at: "key" })];
  });
}

/** A signature says for which location it was made. */
function signsLocation(kind: ProviderConfig["kind"]): boolean {
  const { auth } = presetFor(kind);
  return auth !== "none" && "scheme" in auth && auth.scheme === "aws-sigv4";
}

const examples = { project: "my-project-id", location: "europe-west4" } as const;

function providerKeyIssues(path: IssuePath, { keys }: ProviderConfig): ConfigIssue[] {
  return [
    ...repeated(
      keys.map((key, index) => key.name ?? defaultKeyName(index)),
      (index, first) => issue([...path, "keys", index, "name"], `is also the name of keys[${first}]`),
    ),
    // Counted as two, one credential would get twice the limits that its provider grants.
    ...repeated(
      keys.map((key) => key.value),
      (index, first) => issue([...path, "keys", index, "value"], `is the same as that of keys[${first}]`),
    ),
  ];
}

/** One model under two names would be two entries of which one is lost. */
function duplicateModels(config: Config, catalog: Catalog): ConfigIssue[] {
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

function servingIssues(config: Config, servings: readonly Serving[], catalog: Catalog): ConfigIssue[] {
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

function routeIssues(config: Config): ConfigIssue[] {
  const { routes } = config;
  const known = Object.keys(config.providers);
  const found = repeated(
    routes.map((route) => route.name),
    (index, first) => issue(["routes", index, "name"], `is also the name of routes[${first}]`),
  );
  const open = routes.findIndex(matchesEverything);
  for (const [index, route] of routes.entries()) {
    const path = ["routes", index];
    for (const [position, name] of (route.providers ?? []).entries()) {
      if (known.includes(name)) continue;
      found.push(issue([...path, "providers", position], "names no provider of this file", { valid: known }));
    }
    found.push(
      ...repeated(route.providers ?? [], (position, first) =>
        issue([...path, "providers", position], `is listed before, as providers[${first}]`),
      ),
    );
    if (route.name === "default" && !matchesEverything(route)) {
      found.push(issue([...path, "match"], "must be empty: the route named default is for what no other matches"));
    }
    if (open !== -1 && index > open) {
      const name = routes[open]?.name ?? "";
      found.push(issue(path, `is never reached: ${name} before it matches everything, and the first match wins`));
    }
    found.push(...failoverIssues([...path, "failover"], settingsOf(route)));
  }
  return found;
}

function failoverIssues(
  path: IssuePath,
  { deadlineMs, connectMs, firstTokenMs, breaker, hedge }: ReturnType<typeof settingsOf>,
): ConfigIssue[] {
  const found: ConfigIssue[] = [];
  if (breaker.openMs > breaker.openMaxMs) {
    const message = `would be open for ${formatDuration(breaker.openMs)} at first, longer than open_max of ${formatDuration(breaker.openMaxMs)}`;
    found.push(issue([...path, "breaker"], message));
  }
  for (const [name, ms] of [
    ["connect", connectMs],
    ["first_token", firstTokenMs],
    ["hedge", typeof hedge === "number" ? hedge : 0],
  ] as const) {
    if (ms <= deadlineMs) continue;
    found.push(
      issue([...path, name], `is ${formatDuration(ms)}, longer than the deadline of ${formatDuration(deadlineMs)}`),
    );
  }
  return found;
}
