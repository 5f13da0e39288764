import type { ReadId } from "@tuloy/catalog";

import { styled } from "./command-io.ts";
import type { CommandIo } from "./command-io.ts";
import type { ModelPage, OfferView } from "./model-views.ts";
import type { ModelsScope } from "./models-scope.ts";
import { printable } from "./render/text.ts";
import { table } from "./table.ts";

/**
 * A model's page, for people.
 * @param read what the id says that was asked for, when it is not a name
 */
export function pageLines(page: ModelPage, read: ReadId | null, scope: ModelsScope, io: CommandIo): string[] {
  const heading = `${styled("bold", printable(page.model), io.stdout)}  ${printable(page.title)}${page.author === null ? "" : `, by ${page.author}`}`;
  const automatic = page.served_by.filter((offer) => offer.is_kind);
  const others = page.served_by.filter((offer) => !offer.is_kind);
  return [
    heading,
    ...(read === null ? [] : [`  ${readingOf(read)}`]),
    ...facts(page).map(([what, value]) => `  ${what.padEnd(12)}${value}`),
    ...page.quirks.map((quirk, index) => `  ${(index === 0 ? "quirks" : "").padEnd(12)}${quirk}`),
    ...configured(page, io),
    ...section("served by", automatic, io),
    ...section("served by others, to be declared as openai-compatible or anthropic-compatible", others, io),
    ...addresses(others, scope),
    ...section("same name, unverified: no twins", page.same_name_unverified, io),
    ...equivalents(page, io),
  ];
}

function readingOf({ region, quantization, variant, notes }: ReadId): string {
  const said = [
    ...(region === null ? [] : [`region ${region}`]),
    ...(quantization === null ? [] : [`precision ${quantization}`]),
    ...(variant === null ? [] : [`not simply the model: ${variant}`]),
    ...notes,
  ];
  return said.length === 0 ? "the id says nothing else" : `the id says: ${said.join("; ")}`;
}

function facts(page: ModelPage): (readonly [string, string])[] {
  const rows: (readonly [string, string | null])[] = [
    ["for", page.operation],
    ["context", tokens(page.context)],
    ["output", page.operation === "embeddings" ? null : tokens(page.max_output)],
    ["can", page.operation === "embeddings" ? null : (page.capabilities?.join(", ") ?? "unknown")],
    ["reasoning", page.hidden_reasoning ? "unseen, before it answers" : null],
    ["vectors", vectors(page)],
    ["tier", page.tier === null ? null : `${page.tier} of 5`],
    ["tokenizer", page.tokenizer],
    ["weights", page.open_weights === true ? "open: precision differs from provider to provider" : null],
    ["aliases", page.aliases.length === 0 ? null : printable(page.aliases.join(", "))],
    ["verified", page.verified_at ?? "not yet: as the source has it"],
  ];
  return rows.flatMap(([what, value]) => (value === null ? [] : [[what, value] as const]));
}

function tokens(count: number | null): string {
  return count === null ? "unknown" : `${count.toLocaleString("en-US")} tokens`;
}

function vectors({ dimensions, normalized }: ModelPage): string | null {
  if (dimensions === null) return null;
  const length = normalized === true ? "of length 1" : "of a length that nobody promises";
  return `${dimensions} dimensions, ${length}`;
}

function configured({ deployments, configured: providers }: ModelPage, io: CommandIo): string[] {
  if (providers === null) return [];
  if (deployments.length === 0) return ["", styled("dim", "no configured provider serves it", io.stdout)];
  const rows = deployments.map(({ deployment, id, price, context, region }) => [
    printable(deployment),
    printable(id),
    dollars(price),
    context === null ? "unknown" : context.toLocaleString("en-US"),
    region ?? "unknown",
  ]);
  return titled("configured here", ["deployment", "provider's id", "price in / out", "context", "region"], rows, io);
}

function section(title: string, offers: readonly OfferView[], io: CommandIo): string[] {
  if (offers.length === 0) return [];
  const rows = offers.map((offer) => [
    offer.provider,
    printable(offer.id),
    dollars(offer.price),
    offer.price?.cached_input === null || offer.price === null ? "" : `$${offer.price.cached_input}`,
    offer.context === null ? "unknown" : offer.context.toLocaleString("en-US"),
    offer.region ?? "",
    offer.quantization ?? "",
    offer.link,
    restOf(offer),
  ]);
  const headings = [
    "provider",
    "its id",
    "price in / out",
    "cached",
    "context",
    "region",
    "precision",
    "known by",
    "but",
  ];
  return titled(title, headings, rows, io);
}

/** What its table's title does not say. */
function restOf({ is_kind: isKind, link, why_not: whyNot, only_dialect: only }: OfferView): string {
  const why = isKind && link !== "name" && whyNot !== null ? [whyNot] : [];
  return [...why, ...(only === null ? [] : [`by ${only} only`])].join("; ");
}

function dollars(price: { readonly input: number; readonly output: number } | null): string {
  return price === null ? "unknown" : `$${price.input} / $${price.output}`;
}

/** Where those are that have no kind of their own. */
function addresses(offers: readonly OfferView[], { catalog }: ModelsScope): string[] {
  const rows = [...new Set(offers.map(({ provider }) => provider))].flatMap((name) => {
    const provider = catalog.providers.get(name);
    return provider?.baseUrl === undefined || provider.baseUrl === null ? [] : [[name, provider.baseUrl]];
  });
  return rows.length === 0 ? [] : ["", ...table(["", "base_url"], rows).map((line) => `  ${line}`)];
}

function equivalents(page: ModelPage, io: CommandIo): string[] {
  if (page.equivalents.length === 0) return [];
  const rows = page.equivalents.map(({ model, score, why }) => [printable(model), `${score}`, why]);
  return titled("nearest other models", ["model", "closeness", "in words"], rows, io);
}

function titled(title: string, headings: readonly string[], rows: readonly string[][], io: CommandIo): string[] {
  const [first = "", ...lines] = table(headings, rows);
  return [
    "",
    styled("bold", title, io.stdout),
    `  ${styled("dim", first, io.stdout)}`,
    ...lines.map((line) => `  ${line}`),
  ];
}
