import type { Quantization } from "@tuloy/contract";

import { allSpellings, authorOf, datesItsReleases, spells } from "./authors.ts";
import { exceptionFor } from "./exceptions.ts";
import { nameKey } from "./key.ts";
import { bedrockVersion, datePattern, prefixRules, suffixRules } from "./rules.ts";
import type { IdRule, Says } from "./rules.ts";

/** What of a model an id is compared with. */
export interface NamedModel {
  readonly name: string;
  readonly author: string;
  readonly aliases: readonly string[];
}

/** What a provider's own id says. */
export interface ReadId {
  /** The canonical model. */
  readonly model: string;
  /** `eu`, `us-east-1`, `global`; null: it doesn't say. */
  readonly region: string | null;
  readonly quantization: Quantization | null;
  /** Why it is not simply the model; null: it is. */
  readonly variant: string | null;
  /** For people. */
  readonly notes: readonly string[];
}

/** Models by every spelling of their names. */
export class NameIndex<Model extends NamedModel = NamedModel> {
  /** Null: the key of two models, which says nothing. */
  readonly #byKey = new Map<string, NamedModel | null>();
  /** Keys of names without their date, where a dated release is known. */
  readonly #dated = new Set<string>();

  /** @param more names that count besides the name and its aliases */
  constructor(models: Iterable<Model>, more: (model: Model) => readonly string[] = () => []) {
    for (const model of models) {
      const written = [model.name, ...model.aliases, ...more(model)];
      // Most aliases are the same name behind another spelling of its author.
      const names = [...new Set(written.map((name) => bare(name, model.author)))];
      for (const key of new Set(names.map(nameKey))) put(this.#byKey, key, model);
      for (const name of names) {
        const dateless = name.replace(datePattern, "");
        if (dateless !== name) this.#dated.add(nameKey(dateless));
      }
    }
  }

  /** The model of this name in whatever spelling. */
  find(name: string): NamedModel | null {
    return this.#byKey.get(nameKey(name)) ?? null;
  }

  /** Whether a dated release of the name is known, so that another date is another release. */
  hasReleases(name: string): boolean {
    return this.#dated.has(nameKey(name));
  }
}

function put(into: Map<string, NamedModel | null>, key: string, model: NamedModel): void {
  const there = into.get(key);
  into.set(key, there === undefined || there === model ? model : null);
}

/** A name without its author's spelling in front. */
function bare(name: string, author: string): string {
  const slash = name.indexOf("/");
  return slash !== -1 && spells(name.slice(0, slash), author) ? name.slice(slash + 1) : name;
}

interface Peeled {
  readonly rest: string;
  /** What stood before the name, with what parts the two; empty: nothing. */
  readonly before: string;
  readonly author: string | null;
  /** The author stood before a dot, as only Bedrock writes it. */
  readonly isBedrock: boolean;
  readonly says: readonly Says[];
}

/**
 * Reads a provider's own id: which model it names, and what else it says. Null when it names no model of the index: an id
 * is never stretched to fit, since a wrong twin is worse than none.
 */
export function readModelId(id: string, index: NameIndex): ReadId | null {
  const exact = index.find(id);
  if (exact !== null) return readId(exact, []);
  const peeled = peelPrefixes(id);
  const { before, author, isBedrock } = peeled;
  const suffixes = isBedrock ? [...suffixRules, bedrockVersion] : suffixRules;
  const says = [...peeled.says];
  for (let rest = peeled.rest; ;) {
    const exception = exceptionFor(before + rest);
    if (exception === null) return null;
    const model = exception === undefined ? named(rest, author, index) : index.find(exception);
    if (model !== null) return readId(model, says);
    const cut = firstMatch(rest, suffixes) ?? cutDate(rest, author, index);
    if (cut === null) return null;
    rest = cut.rest;
    says.push(cut.says);
  }
}

function peelPrefixes(id: string): Peeled {
  const says: Says[] = [];
  let rest = id;
  for (;;) {
    const cut = firstMatch(rest, prefixRules);
    if (cut === null) break;
    rest = cut.rest;
    says.push(cut.says);
  }
  const [, prefix = "", separator, name = ""] = /^([^/.]+)([/.])(.+)$/.exec(rest) ?? [];
  // An author that the spellings don't list is called as the catalog calls it, before a slash only.
  const author = authorOf(prefix) ?? (separator === "/" ? prefix.toLowerCase() : null);
  return author === null
    ? { rest, before: "", author, isBedrock: false, says }
    : { rest: name, before: prefix + separator, author, isBedrock: separator === ".", says };
}

/** The model of this name; where a prefix named an author, only one of that author. */
function named(rest: string, author: string | null, index: NameIndex): NamedModel | null {
  const found = index.find(rest) ?? (author === null ? null : index.find(`${author}-${rest}`));
  if (found !== null) return author === null || found.author === author ? found : null;
  return withDashedAuthor(rest, author, index);
}

/** `openai-gpt-5.4`, `cohere-command-a`: the author before the name, with a dash. */
function withDashedAuthor(rest: string, wanted: string | null, index: NameIndex): NamedModel | null {
  const lower = rest.toLowerCase();
  for (const spelling of allSpellings) {
    if (!lower.startsWith(`${spelling}-`)) continue;
    const found = index.find(rest.slice(spelling.length + 1));
    if (found !== null && spells(spelling, found.author) && (wanted === null || wanted === found.author)) return found;
  }
  return null;
}

function cutDate(
  rest: string,
  author: string | null,
  index: NameIndex,
): { readonly rest: string; readonly says: Says } | null {
  const date = datePattern.exec(rest);
  if (date === null) return null;
  const before = rest.slice(0, date.index);
  // Other authors' names move from release to release, so that an older one is another model.
  const model = named(before, author, index);
  if (model === null || !datesItsReleases(model.author) || index.hasReleases(before)) return null;
  return { rest: before, says: { note: `release ${date[1] ?? ""}` } };
}

function firstMatch(text: string, rules: readonly IdRule[]): { readonly rest: string; readonly says: Says } | null {
  const lower = text.toLowerCase();
  for (const { pattern, says, respell } of rules) {
    const match = pattern.exec(lower);
    if (match === null || match[0].length === text.length) continue;
    const rest = match.index === 0 ? text.slice(match[0].length) : text.slice(0, match.index);
    return { rest: respell === undefined ? rest : respell(rest), says: says(match) };
  }
  return null;
}

function readId(model: NamedModel, says: readonly Says[]): ReadId {
  const first = <T>(pick: (said: Says) => T | undefined): T | null => {
    for (const said of says) {
      const value = pick(said);
      if (value !== undefined) return value;
    }
    return null;
  };
  return {
    model: model.name,
    region: first(({ region }) => region),
    quantization: first(({ quantization }) => quantization),
    variant: first(({ variant }) => variant),
    notes: says.flatMap(({ note }) => note ?? []),
  };
}
