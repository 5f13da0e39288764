import type { Capability } from "@tuloy/contract";

import type { ModelRow, OfferDetails, OfferRow, PriceRow } from "../data-rows.ts";
import type { Link } from "../facts.ts";
import { allSpellings, spellingsOf } from "../ids/authors.ts";
import { exceptionFor } from "../ids/exceptions.ts";
import { nameKey } from "../ids/key.ts";
import { readModelId } from "../ids/read-id.ts";
import type { NameIndex, ReadId } from "../ids/read-id.ts";
import { movesOn } from "../knowledge/moving.ts";
import { onlyByResponses } from "../knowledge/responses.ts";
import { isOwnKind } from "../knowledge/traits.ts";
import { capabilitiesOf } from "./models.ts";
import type { SourceRow } from "./models-dev.ts";

/** What ids are read against. */
export interface Known {
  readonly models: ReadonlyMap<string, ModelRow>;
  readonly names: NameIndex;
  /** With the names that authors give their models for people. */
  readonly titles: NameIndex;
  /** `author/name` in the source → canonical name. */
  readonly sourceNames: ReadonlyMap<string, string>;
  /** Display name → canonical name; null for the name of two. */
  readonly displayNames: ReadonlyMap<string, string | null>;
  /** Which model an id was known to be before, by kind and id; undefined: it was not. */
  readonly before: (kind: string, id: string) => string | undefined;
}

interface Linked {
  readonly model: ModelRow;
  readonly link: Link;
  readonly read: ReadId | null;
}

/** One row of a provider as an offer; null when it is of no model of the catalog. */
export function offerRow(kind: string, id: string, row: SourceRow, known: Known): OfferRow | null {
  const linked = link(kind, id, row, known);
  if (linked === null) return null;
  const { model, read } = linked;
  const details = detailsOf(kind, row, model, read);
  const head = [model.name, id, linked.link, priceOf(row)] as const;
  return Object.keys(details).length === 0 ? head : [...head, details];
}

/**
 * Which model a row is of, and how that is known. What the id itself says goes before what the source claims: a claim counts
 * only where the id says nothing else, and an equal display name proves nothing.
 */
function link(kind: string, id: string, row: SourceRow, known: Known): Linked | null {
  const claimed = known.models.get(known.sourceNames.get(row.base_model ?? "") ?? "") ?? null;
  const alike = known.models.get(known.displayNames.get(row.name) ?? "") ?? null;
  const read = readModelId(id, known.names) ?? titled(id, [claimed, alike], known);
  const model = read === null ? null : (known.models.get(read.model) ?? null);
  if (model !== null) {
    if (isOwnKind(kind, model.author)) return { model, read, link: read?.variant === null ? "author" : "id" };
    return { model, read, link: movesOn(model.author, model.name) ? "name" : "id" };
  }
  if (claimed !== null) return { model: claimed, read, link: isProved(id, kind, claimed) ? "database" : "name" };
  // Whoever knew it before knows why; here there is no proof.
  const before = known.models.get(known.before(kind, id) ?? "") ?? alike;
  return before === null ? null : { model: before, read, link: "name" };
}

/** Whether the id agrees with what the source claims, and can: a name that moves on means what its server last made of it. */
function isProved(id: string, kind: string, model: ModelRow): boolean {
  return exceptionFor(id) === undefined && !movesOn(model.author, model.name) && saysNothingElse(id, kind, model);
}

/** `mistral-large-3` is what its author calls mistral-large-2512; that counts where the source names the same model too. */
function titled(id: string, sources: readonly (ModelRow | null)[], { titles }: Known): ReadId | null {
  const read = readModelId(id, titles);
  // What a moving name means differs from provider to provider.
  if (read === null || read.model.endsWith("-latest")) return null;
  return sources.some((model) => model?.name === read.model) ? read : null;
}

/** Sizes and tunings that ids leave out. */
const omissible = /^(\d+(\.\d+)?b|a\d+b|instruct|it|preview|chat|v1)$/;
/** What ids may hold besides: how they are served, where. */
const meaningless = /^(instruct|it|v\d+|tee|bf16|maas|nvidia|workers|ai|cf|route|hf|\d+b|a\d+b)$/;

/**
 * Whether an id, read word by word, is compatible with being the model: all that tells models apart is in it, and it says nothing that
 * the model's name does not. `deepseek-r1-distill-qwen-32b` is not deepseek-r1.
 */
export function saysNothingElse(id: string, kind: string, model: ModelRow): boolean {
  const idWords = words(id);
  const modelWords = new Set(words(model.name));
  const known = new Set([...modelWords, ...words(kind), ...spellingsOf(model.author).flatMap(words)]);
  for (const word of idWords)
    if (!known.has(word) && !meaningless.test(word) && !allSpellings.includes(word)) return false;
  const said = new Set(idWords);
  for (const word of modelWords) if (!said.has(word) && !omissible.test(word)) return false;
  return true;
}

function words(text: string): string[] {
  return nameKey(text.replaceAll("/", "-"))
    .replace(/([a-z])(\d)/g, "$1-$2")
    .split("-")
    .filter((word) => word !== "");
}

function priceOf({ cost }: SourceRow): PriceRow | null {
  if (cost === undefined) return null;
  const [input, output] = [usd(cost.input), usd(cost.output)];
  // The source writes 0 for a cache that is not charged for or not there: neither is a price.
  const cached = cost.cache_read ? usd(cost.cache_read) : null;
  const write = cost.cache_write ? usd(cost.cache_write) : null;
  if (write !== null) return [input, output, cached, write];
  return cached === null ? [input, output] : [input, output, cached];
}

/** Prices that were worked out from others come with the dust of binary fractions. */
function usd(price: number): number {
  return Number(price.toPrecision(6));
}

function detailsOf(kind: string, row: SourceRow, model: ModelRow, read: ReadId | null): OfferDetails {
  const can = capabilitiesOf(row, model.author, model.name);
  const context = row.limit?.context ?? 0;
  const output = Math.min(row.limit?.output ?? 0, context);
  const variant = read?.variant ?? retired(row);
  return {
    ...(read === null || read.region === null ? {} : { region: read.region }),
    ...(read === null || read.quantization === null ? {} : { precision: read.quantization }),
    ...(variant === null ? {} : { variant }),
    ...(context === 0 || context === model.context ? {} : { context }),
    ...(output === 0 || output === model.output ? {} : { output }),
    ...(sameAbilities(can, model.can ?? []) ? {} : { can }),
    ...(onlyByResponses(kind, model.name) ? { only: "openai-responses" as const } : {}),
  };
}

function retired({ status }: SourceRow): string | null {
  return status === "deprecated" ? "its provider is about to retire it" : null;
}

function sameAbilities(one: readonly Capability[], other: readonly Capability[]): boolean {
  return one.length === other.length && one.every((ability) => other.includes(ability));
}
