import { meansModel } from "@tuloy/catalog";
import type { Catalog } from "@tuloy/catalog";
import type { ConfigIssue, ProviderConfig } from "@tuloy/contract";

import { isInside } from "../addresses.ts";
import { baseUrlOf, placeholders } from "../base-url.ts";
import { defaultKeyName } from "../compile/providers.ts";
import { credentialIssues } from "../credentials.ts";
import { automaticOffers } from "../offered.ts";
import { presetFor } from "../preset-for.ts";
import { issue, repeated, type IssuePath } from "./issue.ts";
import { regionClaim } from "./region-claim.ts";

/** Faults of one provider, its address and its keys. */
export function providerIssues(name: string, provider: ProviderConfig, catalog: Catalog): ConfigIssue[] {
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
  const claim = regionClaim(path, provider);
  if (claim?.refused === true) found.push(claim.issue);
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
    const offers = catalog.offers(provider.kind).filter(meansModel);
    const trial = offers.every((offer) => offer.trial !== null) ? (offers[0]?.trial ?? null) : null;
    const why =
      trial === null ? "what such a server serves cannot be known" : `nothing of it is used unasked, since ${trial}`;
    found.push(issue([...path, "models"], `is missing: ${why}; write models: { its-model: }`, { at: "key" }));
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
