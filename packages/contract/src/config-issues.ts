import { z } from "zod";

import { configSchema } from "./config/index.ts";
import type { Config } from "./config/index.ts";

/** One fault of a configuration, without a position: whoever read the text knows where a path is. */
export interface ConfigIssue {
  /** Keys and indices from the top. For an unknown key, its own path. */
  readonly path: readonly (string | number)[];
  /** `key`: the key at the end of the path is at fault; `value`: what it holds. */
  readonly at: "key" | "value";
  /** What is wrong, as the rest of a sentence whose subject is the path. Never holds a value. */
  readonly message: string;
  /** What would be valid in its place: keys, or words. Empty when it is not a choice. */
  readonly valid: readonly string[];
  /** The type that was needed, when that was the fault. */
  readonly expected: string | null;
}

/**
 * Fields of the published format that this version does not have, `*` for any key or index. They are refused with
 * these words: to take a limit or a filter silently and not hold it would be a lie.
 */
const unavailableFields: ReadonlySet<string> = new Set([
  "shared",
  "data.url",
  "providers.*.models.*.price.cache_write",
  "routes.*.cache",
]);

const unavailableValues: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ["routes.*.retention", new Set(["full"])],
]);

const notAvailable = "is not available in this version";

/** Which levels of the format hold names that the operator chose, so that a path can be compared with a pattern. */
function pattern(path: readonly (string | number)[]): string {
  return path
    .map((key, depth) => {
      if (typeof key === "number") return "*";
      const named =
        (depth === 1 && (path[0] === "providers" || path[0] === "models")) ||
        (depth === 3 && path[0] === "providers" && path[2] === "models");
      return named ? "*" : key;
    })
    .join(".");
}

/**
 * Checks a parsed file against the schema.
 * @param input plain data, as a YAML or JSON reader gives it
 * @returns the configuration with its defaults, or every fault found
 */
export function parseConfig(input: unknown): { config: Config } | { issues: ConfigIssue[] } {
  const parsed = configSchema.safeParse(input);
  if (parsed.success) return { config: parsed.data };
  return { issues: parsed.error.issues.flatMap((issue) => inWords(issue, input)) };
}

function inWords(issue: z.core.$ZodIssue, input: unknown): ConfigIssue[] {
  const path = issue.path.map((key) => (typeof key === "symbol" ? key.toString() : key));
  const fault = (message: string, more: Partial<ConfigIssue> = {}): ConfigIssue => ({
    path,
    at: "value",
    message,
    valid: [],
    expected: null,
    ...more,
  });
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => {
        const own = [...path, key];
        return unavailableFields.has(pattern(own))
          ? fault(notAvailable, { path: own, at: "key" })
          : fault("is not a known key", { path: own, at: "key", valid: knownKeys(path) });
      });
    case "invalid_key":
      return issue.issues.map((inner) => fault(inner.message, { at: "key" }));
    case "invalid_value": {
      const found = valueAt(input, path);
      const valid = issue.values.map(String);
      // One of the words in the table above can be shown: it is no secret.
      if (typeof found === "string" && unavailableValues.get(pattern(path))?.has(found) === true) {
        return [fault(`"${found}" ${notAvailable}; write ${list(valid)}`)];
      }
      return [fault(found === undefined ? `is missing; write ${list(valid)}` : `must be ${list(valid)}`, { valid })];
    }
    case "invalid_type":
      return [fault(wrongType(issue.expected, valueAt(input, path)), { expected: issue.expected })];
    case "too_small":
    case "too_big":
      return [fault(outOfRange(issue))];
    case "invalid_format":
    case "custom":
      return [fault(issue.message)];
    case "not_multiple_of":
    case "invalid_union":
    case "invalid_element":
    default:
      return [fault("is not valid")];
  }
}

const typeNames: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a group of keys",
  record: "a group of keys",
};

function wrongType(expected: string, found: unknown): string {
  const wanted = typeNames[expected] ?? expected;
  if (found === undefined) return `is missing; it must be ${wanted}`;
  if (found === null) return `is empty; write ${wanted}, or leave the key out`;
  if (expected === "string" && (typeof found === "number" || typeof found === "boolean")) {
    return "must be text: put it in quotes";
  }
  return `must be ${wanted}`;
}

function outOfRange(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig): string {
  // A schema's own words say more than a bound does; zod's defaults begin with "Too".
  if (!issue.message.startsWith("Too ")) return issue.message;
  const small = issue.code === "too_small";
  const bound = small ? issue.minimum : issue.maximum;
  if (issue.origin === "array")
    return small ? "is an empty list; name one, or leave the key out" : "is too long a list";
  if (issue.origin === "string") return small ? "is too short" : `is longer than ${bound} characters`;
  if (small) return `must be ${issue.inclusive === true ? "at least" : "above"} ${bound}`;
  return `must be at most ${bound}`;
}

function list(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

function valueAt(input: unknown, path: readonly (string | number)[]): unknown {
  let value: unknown = input;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}

/** The keys that the schema knows at a path; none where names are free. */
function knownKeys(path: readonly (string | number)[]): string[] {
  let schema: unknown = configSchema;
  for (const key of path) schema = child(bare(schema), key);
  const object = bare(schema);
  return object instanceof z.ZodObject ? Object.keys(object.shape) : [];
}

/** Without what makes a schema optional, nullable or gives it a default. */
function bare(schema: unknown): unknown {
  let inner = schema;
  while (
    inner instanceof z.ZodOptional ||
    inner instanceof z.ZodNullable ||
    inner instanceof z.ZodDefault ||
    inner instanceof z.ZodPrefault
  ) {
    inner = inner.unwrap();
  }
  return inner;
}

function child(schema: unknown, key: string | number): unknown {
  if (schema instanceof z.ZodObject) return Object.hasOwn(schema.shape, key) ? schema.shape[key] : undefined;
  if (schema instanceof z.ZodArray) return schema.element;
  if (schema instanceof z.ZodRecord) return schema.valueType;
  return undefined;
}
