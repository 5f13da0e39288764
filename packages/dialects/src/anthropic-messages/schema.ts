import { isObject, type JsonObject } from "../json/value.ts";

/**
 * Keywords that a schema for output or for a strict tool may not have
 * (https://platform.claude.com/docs/en/build-with-claude/structured-outputs, "JSON Schema limitations"). They only narrow
 * values, so what is generated without them is the same kind of answer.
 */
const refused: ReadonlySet<string> = new Set([
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "multipleOf",
  "minLength",
  "maxLength",
  "maxItems",
  "uniqueItems",
  "minContains",
  "maxContains",
  "contains",
  "minProperties",
  "maxProperties",
  "propertyNames",
  "patternProperties",
  "$schema",
]);

/** Under these a member's names are the client's own, not keywords. */
const named: ReadonlySet<string> = new Set(["properties", "$defs", "definitions"]);
/** Under these stand values, not schemas. */
const values: ReadonlySet<string> = new Set(["enum", "const", "default", "examples", "required"]);
/** As deep as a request may nest. */
const maxDepth = 128;

/** A schema as Anthropic takes it; `left` gets the keywords that it has to do without. */
export function closedSchema(schema: unknown, left: Set<string>, depth = 0): unknown {
  if (Array.isArray(schema)) return schema.map((item) => closedSchema(item, left, depth + 1));
  if (!isObject(schema) || depth > maxDepth) return schema;
  const entries: [string, unknown][] = [];
  for (const [key, value] of Object.entries(schema)) {
    if (key === "additionalProperties") {
      // All objects are closed there. One that may have any members is then one without them.
      if (value !== false) left.add(key);
      continue;
    }
    if (refused.has(key) || (key === "minItems" && value !== 0 && value !== 1)) left.add(key);
    else if (values.has(key)) entries.push([key, value]);
    else if (named.has(key) && isObject(value)) entries.push([key, members(value, left, depth + 1)]);
    // Anthropic knows no "exactly one", which a model that picks one meets anyway.
    else entries.push([key === "oneOf" ? "anyOf" : key, closedSchema(value, left, depth + 1)]);
  }
  if (schema.type === "object" || isObject(schema.properties)) entries.push(["additionalProperties", false]);
  return Object.fromEntries(entries);
}

function members(schemas: JsonObject, left: Set<string>, depth: number): JsonObject {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, closedSchema(schema, left, depth)]));
}

/** The schema of a tool's input: it must be an object's. */
export function objectSchema(schema: unknown): JsonObject {
  if (!isObject(schema)) return { type: "object", properties: {} };
  return schema.type === "object" ? schema : { ...schema, type: "object" };
}
