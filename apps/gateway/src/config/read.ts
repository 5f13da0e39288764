import { builtInCatalog } from "@tuloy/catalog";
import type { Catalog } from "@tuloy/catalog";
import { parseConfig } from "@tuloy/contract";
import type { Config, ConfigIssue } from "@tuloy/contract";

import { nearest } from "./nearest.ts";
import { semanticIssues, semanticWarnings } from "./semantics.ts";
import { readYaml } from "./yaml-source.ts";
import type { Path, Place, YamlSource } from "./yaml-source.ts";

/** One fault of a configuration file, as a person needs it. Never holds a value that could be a secret. */
export interface ConfigProblem {
  readonly file: string;
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
  /** `routes[0].failover.stall`; empty for the file as a whole. */
  readonly path: string;
  /** What is wrong and what to write instead, as the rest of a sentence that begins with the path. */
  readonly message: string;
}

export type LoadedConfig =
  | {
      readonly ok: true;
      readonly config: Config;
      readonly catalog: Catalog;
      /** What holds as it is written, and may not be meant so; in the file's order. */
      readonly warnings: readonly ConfigProblem[];
    }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/**
 * Reads and checks a configuration. Never throws, whatever the text.
 * @param fileName what problems call the file
 * @param environment where `${NAME}` is looked up
 * @param catalogFor what is known of models and prices, for a configuration whose form is right
 * @returns the configuration with its defaults, or every problem found, in the file's order
 */
export function loadConfig(
  text: string,
  fileName: string,
  environment: Readonly<Record<string, string | undefined>>,
  catalogFor: (config: Config) => Catalog = () => builtInCatalog,
): LoadedConfig {
  const source = readYaml(text, environment);
  const problems: ConfigProblem[] = source.faults.map(({ path, place, message }) =>
    problem(fileName, path, place, message),
  );
  if (source.readable) {
    const checked = check(source, catalogFor);
    const inWords = (issue: ConfigIssue): ConfigProblem =>
      problem(fileName, issue.path, source.placeOf(issue.path, issue.at), explain(issue, source));
    if (problems.length === 0 && "config" in checked) {
      return { ok: true, ...checked, warnings: semanticWarnings(checked.config).map(inWords).sort(byPlace) };
    }
    // A value that could not be filled in has had its problem; what a check says of the stand-in would confuse.
    const told = new Set(source.faults.map((fault) => JSON.stringify(fault.path)));
    for (const issue of "issues" in checked ? checked.issues : []) {
      if (told.has(JSON.stringify(issue.path))) continue;
      problems.push(inWords(issue));
    }
  }
  problems.sort(byPlace);
  return { ok: false, problems };
}

function byPlace(one: ConfigProblem, other: ConfigProblem): number {
  return one.line - other.line || one.column - other.column;
}

/** `tuloy.yaml:3:5 providers.openai.kind must be …` */
export function formatProblem({ file, line, column, path, message }: ConfigProblem): string {
  return `${file}:${line}:${column} ${path === "" ? "the file" : path} ${message}`;
}

function check(
  source: YamlSource,
  catalogFor: (config: Config) => Catalog,
): { config: Config; catalog: Catalog } | { issues: readonly ConfigIssue[] } {
  // An empty file lacks the same as a file without providers.
  const parsed = parseConfig(readNumbers(source.value ?? {}, source));
  if ("issues" in parsed) return parsed;
  const { config } = parsed;
  const catalog = catalogFor(config);
  const issues = semanticIssues(config, catalog);
  return issues.length === 0 ? { config, catalog } : { issues };
}

/** A variable holds text, so `port: ${PORT}` reaches the schema as text: where a number is wanted it becomes one. */
function readNumbers(value: unknown, source: YamlSource): unknown {
  const parsed = parseConfig(value);
  for (const { path, expected } of "issues" in parsed ? parsed.issues : []) {
    if (expected !== "number" && expected !== "int") continue;
    if (source.variablesOf(path).length > 0) toNumber(value, path);
  }
  return value;
}

function toNumber(root: unknown, path: Path): void {
  let holder: unknown = root;
  for (const key of path.slice(0, -1)) holder = isObject(holder) ? Reflect.get(holder, key) : undefined;
  const last = path.at(-1);
  if (!isObject(holder) || last === undefined) return;
  const text: unknown = Reflect.get(holder, last);
  if (typeof text === "string" && /^-?\d+(\.\d+)?$/.test(text)) Reflect.set(holder, last, Number(text));
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function explain(issue: ConfigIssue, source: YamlSource): string {
  const variables = issue.at === "value" ? source.variablesOf(issue.path) : [];
  const origin =
    variables.length === 0 ? "" : ` (it comes from ${variables.map((name) => `\${${name}}`).join(" and ")})`;
  return `${issue.message}${origin}${advice(issue, source)}`;
}

/** The nearest valid word for what was written, else all that are valid where the message does not list them. */
function advice({ path, at, valid }: ConfigIssue, source: YamlSource): string {
  if (valid.length === 0) return "";
  const written = at === "key" ? path.at(-1) : valueAt(source, path);
  const meant = typeof written === "string" ? nearest(written, valid) : null;
  if (meant !== null) return `; did you mean ${meant}?`;
  return at === "key" ? `; known here: ${valid.join(", ")}` : "";
}

function valueAt(source: YamlSource, path: Path): unknown {
  let value: unknown = source.value;
  for (const key of path) value = isObject(value) ? Reflect.get(value, key) : undefined;
  return value;
}

/** A key that long, or like this, is a secret in the wrong place rather than a name. */
const longestKeyShown = 60;
const looksSecret = /^(?:sk|rk|pk)-|(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{20,}/;

function problem(file: string, path: Path, { line, column }: Place, message: string): ConfigProblem {
  const text = path.map((key, depth) => {
    if (typeof key === "number") return `[${key}]`;
    const shown = key.length > longestKeyShown || looksSecret.test(key) ? `${key.slice(0, 8)}…` : key;
    if (!/^[A-Za-z0-9_-]+$/.test(shown)) return `[${JSON.stringify(shown)}]`;
    return depth === 0 ? shown : `.${shown}`;
  });
  return { file, line, column, path: text.join(""), message };
}
