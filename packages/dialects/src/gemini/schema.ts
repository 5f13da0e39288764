import { isObject, type JsonObject } from "../json/value.ts";

/** A schema in Gemini's terms, and what became of the rest. */
export interface GeminiSchema {
  readonly schema: unknown;
  /** Keywords that only the description tells of now. */
  readonly told: ReadonlySet<string>;
  /** Keywords that are gone. */
  readonly left: ReadonlySet<string>;
}

/**
 * What the fields for JSON Schema take (`responseJsonSchema`: https://ai.google.dev/api/generate-content#GenerationConfig, and the
 * same in `parametersJsonSchema`). The older fields know less, and answer a keyword that they do not know with 400.
 */
const taken: ReadonlySet<string> = new Set([
  "$id",
  "$anchor",
  "$ref",
  "type",
  "format",
  "title",
  "description",
  "required",
  "minItems",
  "maxItems",
  "minimum",
  "maximum",
  "propertyOrdering",
]);

/** Limits that a model can keep when it is told of them, though the server does not hold it to them. */
const tellable: ReadonlySet<string> = new Set([
  "pattern",
  "minLength",
  "maxLength",
  "multipleOf",
  "uniqueItems",
  "minProperties",
  "maxProperties",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "default",
  "examples",
  "contentEncoding",
  "contentMediaType",
]);

/** What else JSON Schema knows. A keyword that it does not know is somebody's own word, which no trace is to hold. */
const standard: ReadonlySet<string> = new Set([
  "not",
  "if",
  "then",
  "else",
  "contains",
  "minContains",
  "maxContains",
  "patternProperties",
  "propertyNames",
  "dependentRequired",
  "dependentSchemas",
  "dependencies",
  "unevaluatedItems",
  "unevaluatedProperties",
  "additionalItems",
  "contentSchema",
  "discriminator",
  "$dynamicRef",
  "$dynamicAnchor",
  "$vocabulary",
]);

/** They say nothing of a value. */
const meaningless: ReadonlySet<string> = new Set(["$schema", "$comment", "deprecated", "readOnly", "writeOnly"]);

/** JSON Schema in the subset that Gemini takes. Nothing of the original is changed. */
export function geminiSchema(schema: unknown): GeminiSchema {
  const converter = new Converter();
  return { schema: converter.convert(schema), told: converter.told, left: converter.left };
}

type Members = [key: string, value: unknown][];

class Converter {
  readonly told = new Set<string>();
  readonly left = new Set<string>();

  convert(schema: unknown): unknown {
    // True allows everything, as an empty schema does. False allows nothing, which only `additionalProperties` can say.
    if (!isObject(schema)) return {};
    const whole = this.#merged(schema);
    const members: Members = [];
    const told: Members = [];
    for (const [key, value] of Object.entries(whole)) {
      const limit = this.#bound(whole, key, value);
      if (limit !== null) members.push(limit);
      else if (taken.has(key)) members.push([key, key === "$ref" ? inDefs(value) : value]);
      else if (tellable.has(key)) told.push([key, value]);
      else this.#structure(key, value, members);
    }
    for (const [key] of told) this.told.add(key);
    return beside(nullable(whole, withEnum(whole, described(members, told), this.left)));
  }

  /** Keywords that hold schemas. */
  #structure(key: string, value: unknown, members: Members): void {
    if (key === "properties" || key === "$defs" || key === "definitions") {
      if (isObject(value)) members.push([key === "definitions" ? "$defs" : key, this.#each(value)]);
    } else if (key === "anyOf" || key === "oneOf" || key === "prefixItems") {
      if (Array.isArray(value)) members.push([key, value.map((inner) => this.convert(inner))]);
    } else if (key === "additionalProperties") {
      members.push([key, typeof value === "boolean" ? value : this.convert(value)]);
    } else if (key === "items") {
      // A list of schemas is what older drafts call `prefixItems`.
      if (Array.isArray(value)) members.push(["prefixItems", value.map((inner) => this.convert(inner))]);
      else members.push([key, this.convert(value)]);
    } else if (key !== "enum" && key !== "const" && key !== "nullable" && !meaningless.has(key)) {
      this.left.add(standard.has(key) ? key : "keywords that JSON Schema does not know");
    }
  }

  #each(schemas: JsonObject): unknown {
    // From entries, since a property may be called `__proto__`.
    return Object.fromEntries(Object.entries(schemas).map(([name, inner]) => [name, this.convert(inner)]));
  }

  /** An open bound of an integer is a closed one next to it. */
  #bound({ type }: JsonObject, key: string, value: unknown): [string, unknown] | null {
    if (type !== "integer" || typeof value !== "number") return null;
    if (key === "exclusiveMinimum") return ["minimum", Math.floor(value) + 1];
    return key === "exclusiveMaximum" ? ["maximum", Math.ceil(value) - 1] : null;
  }

  /** `allOf` put into the schema around it, as far as the two do not speak of the same thing. */
  #merged(schema: JsonObject): JsonObject {
    const { allOf } = schema;
    if (!Array.isArray(allOf)) return schema;
    const whole = new Map(Object.entries(schema).filter(([key]) => key !== "allOf"));
    for (const part of allOf) {
      if (!isObject(part)) continue;
      for (const [key, value] of Object.entries(this.#merged(part))) {
        const there = whole.get(key);
        if (!whole.has(key)) whole.set(key, value);
        else if (key === "properties" && isObject(there) && isObject(value)) whole.set(key, { ...value, ...there });
        else if (key === "required" && Array.isArray(there) && Array.isArray(value)) {
          whole.set(key, [...new Set<unknown>([...there, ...value])]);
        } else if (JSON.stringify(there) !== JSON.stringify(value)) this.left.add("allOf");
      }
    }
    return Object.fromEntries(whole);
  }
}

function inDefs(reference: unknown): unknown {
  return typeof reference === "string" ? reference.replace(/^#\/definitions\//, "#/$defs/") : reference;
}

function described(members: Members, told: Members): Members {
  if (told.length === 0) return members;
  const words = `(${told.map(([key, value]) => `${key}: ${JSON.stringify(value)}`).join(", ")})`;
  const before = members.find(([key]) => key === "description")?.[1];
  const description = typeof before === "string" && before !== "" ? `${before} ${words}` : words;
  return [...members.filter(([key]) => key !== "description"), ["description", description]];
}

/** An enumeration holds strings or numbers; null in it becomes an alternative of its own, and what else there is can't be said. */
function withEnum(schema: JsonObject, members: Members, left: Set<string>): Members {
  const values: unknown = "const" in schema ? [schema.const] : schema.enum;
  if (!Array.isArray(values)) return members;
  const plain = values.filter((value) => typeof value === "string" || typeof value === "number");
  if (plain.length + (values.includes(null) ? 1 : 0) < values.length) {
    left.add("const" in schema ? "const" : "enum");
    return members;
  }
  if (!values.includes(null)) return [...members, ["enum", plain]];
  const rest = members.filter(([key]) => key !== "type");
  const { type } = schema;
  const kinds = Array.isArray(type) ? type.filter((kind) => kind !== "null") : type === undefined ? [] : [type];
  const kind = kinds.length === 0 ? {} : { type: kinds.length === 1 ? kinds[0] : kinds };
  if (plain.length === 0) return [...rest, ["type", "null"]];
  return [...rest, ["anyOf", [{ ...kind, enum: plain }, { type: "null" }]]];
}

/** OpenAPI's word for what JSON Schema says with a second type. */
function nullable(schema: JsonObject, members: Members): Members {
  if (schema.nullable !== true) return members;
  return members.map(([key, value]) =>
    key === "type" && typeof value === "string" ? [key, [value, "null"]] : [key, value],
  );
}

/** Beside a reference nothing may stand that does not begin with a dollar sign. */
function beside(members: Members): unknown {
  const reference = members.find(([key]) => key === "$ref");
  const others = members.filter(([key]) => !key.startsWith("$"));
  if (reference === undefined || others.length === 0) return Object.fromEntries(members);
  const dollars = members.filter(([key]) => key.startsWith("$") && key !== "$ref");
  return Object.fromEntries([...dollars, ...others, ["anyOf", [{ $ref: reference[1] }]]]);
}
