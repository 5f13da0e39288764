import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import type { Document, ErrorCode, Pair } from "yaml";

import { hasVariables, interpolate } from "./interpolate.ts";
import { mask, unmask } from "./mask.ts";

export type Path = readonly (string | number)[];

export interface Place {
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
}

/** A fault found while reading, before any schema. */
interface SourceFault {
  readonly path: Path;
  readonly place: Place;
  readonly message: string;
}

/** A YAML text as plain data, with where everything is. */
export interface YamlSource {
  readonly value: unknown;
  readonly faults: readonly SourceFault[];
  /** Syntax errors leave nothing that could be checked further. */
  readonly readable: boolean;
  /** Where a path's key or value is; where it is absent, its nearest ancestor. */
  placeOf(path: Path, at: "key" | "value"): Place;
  /** The variables that a value was made of. Such a value may be a secret wherever it stands, so it is never shown. */
  variablesOf(path: Path): readonly string[];
}

/** Far more than any configuration, and little enough that aliases of aliases cannot exhaust the memory. */
const mostNodes = 20_000;
const deepest = 40;
const mostSyntaxErrors = 20;

const start: Place = { line: 1, column: 1 };

/**
 * Reads YAML 1.2 and fills in `${NAME}` from the environment. Filling in happens after parsing, in the scalar's value, so
 * that a variable cannot add keys whatever it holds. Never throws.
 */
export function readYaml(text: string, environment: Readonly<Record<string, string | undefined>>): YamlSource {
  const lines = new LineCounter();
  let document: Document;
  try {
    document = parseDocument(mask(text), { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  } catch {
    return unreadable([{ path: [], place: start, message: "is not YAML that can be read" }]);
  }
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const broken = [...document.errors, ...document.warnings];
  if (broken.length > 0) {
    const faults = broken.slice(0, mostSyntaxErrors).map(({ code, pos }) => ({
      path: [],
      place: placeAt(pos[0]),
      message: syntaxErrors[code] ?? "is not valid YAML",
    }));
    return unreadable(faults);
  }
  return new Walk(document, environment, placeAt).source();
}

function unreadable(faults: SourceFault[]): YamlSource {
  return { value: undefined, faults, readable: false, placeOf: () => start, variablesOf: () => [] };
}

class Walk {
  readonly #document: Document;
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #placeAt: (offset: number) => Place;
  readonly #faults: SourceFault[] = [];
  readonly #keys = new Map<string, Place>();
  readonly #values = new Map<string, Place>();
  readonly #variables = new Map<string, readonly string[]>();
  #nodes = 0;
  #readable = true;

  constructor(
    document: Document,
    environment: Readonly<Record<string, string | undefined>>,
    placeAt: (offset: number) => Place,
  ) {
    this.#document = document;
    this.#environment = environment;
    this.#placeAt = placeAt;
  }

  source(): YamlSource {
    const value = this.#value(this.#document.contents, [], start);
    return {
      value,
      faults: this.#faults,
      readable: this.#readable,
      placeOf: (path, at) => this.#placeOf(path, at),
      variablesOf: (path) => this.#variables.get(JSON.stringify(path)) ?? [],
    };
  }

  #placeOf(path: Path, at: "key" | "value"): Place {
    const places = at === "key" ? this.#keys : this.#values;
    for (let length = path.length; length > 0; length--) {
      const id = JSON.stringify(path.slice(0, length));
      const place = (length === path.length ? places.get(id) : undefined) ?? this.#keys.get(id) ?? this.#values.get(id);
      if (place !== undefined) return place;
    }
    return start;
  }

  #value(node: unknown, path: Path, near: Place): unknown {
    if (++this.#nodes > mostNodes || path.length > deepest) return this.#tooLarge(path, near);
    if (isAlias(node)) {
      const target = node.resolve(this.#document);
      if (target !== undefined) return this.#value(target, path, near);
      return this.#fault(path, near, "refers to an anchor that does not exist");
    }
    if (isScalar(node)) return this.#scalar(node.value, path, this.#placeOfNode(node.range, near));
    if (isSeq(node)) {
      const place = this.#placeOfNode(node.range, near);
      this.#values.set(JSON.stringify(path), place);
      return node.items.map((item, index) => this.#value(item, [...path, index], place));
    }
    if (isMap(node)) {
      const place = this.#placeOfNode(node.range, near);
      this.#values.set(JSON.stringify(path), place);
      return this.#map(node.items, path, place);
    }
    return null;
  }

  /** An object without a prototype: whatever a key is called, it is data. */
  #map(pairs: readonly Pair[], path: Path, near: Place): unknown {
    const map: Record<string, unknown> = Object.create(null);
    for (const { key, value } of pairs) {
      if (!isScalar(key)) {
        this.#fault(path, near, "has a key that is not plain text");
        continue;
      }
      // The source, not the value: a model called 4.10 is not a number.
      const name = unmask(typeof key.value === "string" ? key.value : (key.source ?? String(key.value)));
      const own = [...path, name];
      const place = this.#placeOfNode(key.range, near);
      if (name === "__proto__") {
        this.#fault(own, place, "is not usable as a name");
      } else if (Object.hasOwn(map, name)) {
        const first = this.#placeOf(own, "key");
        this.#fault(own, place, `is there twice; the first is in line ${first.line}`);
      } else {
        this.#keys.set(JSON.stringify(own), place);
        map[name] = this.#value(value, own, place);
      }
    }
    return map;
  }

  #scalar(value: unknown, path: Path, place: Place): unknown {
    this.#values.set(JSON.stringify(path), place);
    if (typeof value !== "string") return value;
    const text = unmask(value);
    if (!hasVariables(text)) return text;
    const filled = interpolate(text, this.#environment);
    if (filled.variables.length > 0) this.#variables.set(JSON.stringify(path), filled.variables);
    for (const fault of filled.faults) this.#fault(path, place, fault);
    return filled.text;
  }

  #placeOfNode(range: readonly number[] | null | undefined, near: Place): Place {
    const offset = range?.[0];
    return offset === undefined ? near : this.#placeAt(offset);
  }

  #tooLarge(path: Path, place: Place): null {
    if (this.#readable) this.#fault(path.slice(0, 4), place, "is too large or too deep for a configuration");
    this.#readable = false;
    return null;
  }

  #fault(path: Path, place: Place, message: string): null {
    this.#faults.push({ path, place, message });
    return null;
  }
}

/** The parser's own messages quote the text, which may be a secret, and speak of its inside; these do neither. */
const syntaxErrors: Readonly<Partial<Record<ErrorCode, string>>> = {
  BAD_DIRECTIVE: "is not valid YAML: a line that begins with % is not understood",
  BAD_DQ_ESCAPE: "is not valid YAML: unknown escape after \\ in double quotes; use single quotes to keep a \\ as it is",
  BAD_INDENT: "is not valid YAML: the indentation does not fit, or a bracket is not closed",
  BAD_SCALAR_START: "is not valid YAML: a value that begins with ` or @ needs quotes",
  BLOCK_AS_IMPLICIT_KEY: "is not valid YAML: a second `key:` on one line; put the value in quotes or on its own line",
  BLOCK_IN_FLOW: "is not valid YAML: inside { } and [ ] everything must be in that form",
  MISSING_CHAR: "is not valid YAML: a quote, a bracket, a comma or a colon with a space after it is missing",
  MULTILINE_IMPLICIT_KEY: "is not valid YAML: a key must be on one line; is a colon missing, or the indentation wrong?",
  MULTIPLE_DOCS: "holds more than one document: remove what follows the second ---",
  RESOURCE_EXHAUSTION: "is nested too deeply",
  TAB_AS_INDENT: "is not valid YAML: tabs cannot indent; use spaces",
  TAG_RESOLVE_FAILED: "is not valid here: a value that begins with ! needs quotes",
  UNEXPECTED_TOKEN:
    "is not valid YAML: something is here that does not belong; is a bracket or a quote missing before it?",
};
