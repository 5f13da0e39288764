import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { geminiSchema } from "./schema.ts";

function converted(schema: unknown): unknown {
  return geminiSchema(schema).schema;
}

describe("a JSON Schema for Gemini", () => {
  it("is the same where Gemini takes all of it", () => {
    const schema = {
      type: "object",
      title: "City",
      properties: {
        name: { type: "string", description: "its name", enum: ["Manila", "Cebu"] },
        size: { type: ["integer", "null"], minimum: 0, maximum: 10 },
        parts: { type: "array", items: { $ref: "#/$defs/part" }, minItems: 1, maxItems: 3 },
        either: { anyOf: [{ type: "string", format: "date" }, { type: "number" }] },
      },
      required: ["name"],
      additionalProperties: false,
      $defs: { part: { type: "array", prefixItems: [{ type: "string" }, { type: "number" }] } },
    };
    expect(geminiSchema(schema)).toEqual({ schema, told: new Set(), left: new Set() });
  });

  it.each([
    ["a constant is an enumeration of one", { const: "a" }, { enum: ["a"] }],
    [
      "an open bound of an integer is the next number",
      { type: "integer", exclusiveMinimum: 0, exclusiveMaximum: 5 },
      { type: "integer", minimum: 1, maximum: 4 },
    ],
    [
      "null in an enumeration is an alternative",
      { type: ["string", "null"], enum: ["a", null] },
      { anyOf: [{ type: "string", enum: ["a"] }, { type: "null" }] },
    ],
    ["nothing but null is a type", { enum: [null] }, { type: "null" }],
    ["nullable is a second type", { type: "string", nullable: true }, { type: ["string", "null"] }],
    [
      "definitions have a new name",
      { definitions: { a: { type: "string" } }, $ref: "#/definitions/a" },
      { $defs: { a: { type: "string" } }, $ref: "#/$defs/a" },
    ],
    [
      "what stands beside a reference stands around it",
      { $ref: "#/$defs/a", description: "d" },
      { description: "d", anyOf: [{ $ref: "#/$defs/a" }] },
    ],
    ["a list of items has a new name", { items: [{ type: "string" }] }, { prefixItems: [{ type: "string" }] }],
    ["true is everything", { properties: { a: true } }, { properties: { a: {} } }],
    ["notes to people go", { $schema: "x", $comment: "y", deprecated: true, type: "string" }, { type: "string" }],
    [
      "allOf is put into what is around it",
      {
        allOf: [
          { properties: { a: { type: "string" } }, required: ["a"] },
          { properties: { b: {} }, required: ["b"] },
        ],
        type: "object",
      },
      { type: "object", properties: { a: { type: "string" }, b: {} }, required: ["a", "b"] },
    ],
  ])("%s", (_, schema, expected) => {
    const { schema: given, told, left } = geminiSchema(schema);
    expect(given).toEqual(expected);
    expect([...told, ...left]).toEqual([]);
  });

  it("says in words what the server does not hold a model to", () => {
    const { schema, told, left } = geminiSchema({
      type: "string",
      description: "a code",
      pattern: "^a+$",
      minLength: 2,
    });
    expect(schema).toEqual({ type: "string", description: 'a code (pattern: "^a+$", minLength: 2)' });
    expect([...told]).toEqual(["pattern", "minLength"]);
    expect([...left]).toEqual([]);
  });

  it("names what can't be said", () => {
    const { schema, left } = geminiSchema({
      type: "object",
      properties: { flag: { enum: [true] }, other: { not: { type: "string" } } },
      patternProperties: { "^x": {} },
      if: {},
      "x-house": 1,
    });
    expect(schema).toEqual({ type: "object", properties: { flag: {}, other: {} } });
    expect([...left]).toEqual(["enum", "not", "patternProperties", "if", "keywords that JSON Schema does not know"]);
  });

  it("takes __proto__ for a property like any other", () => {
    const schema: unknown = JSON.parse('{"type":"object","properties":{"__proto__":{"const":"a"}}}');
    expect(JSON.stringify(converted(schema))).toBe('{"type":"object","properties":{"__proto__":{"enum":["a"]}}}');
  });

  it("holds only keywords that Gemini knows, whatever it is made from, and never throws", () => {
    const keywords = [
      "type",
      "properties",
      "$defs",
      "items",
      "anyOf",
      "oneOf",
      "allOf",
      "not",
      "enum",
      "const",
      "default",
      "pattern",
      "additionalProperties",
      "$ref",
      "nullable",
      "exclusiveMinimum",
      "if",
      "description",
      "required",
    ];
    const { schema } = fc.letrec((tie) => ({
      schema: fc.dictionary(
        fc.constantFrom(...keywords),
        fc.oneof(
          { maxDepth: 4 },
          fc.jsonValue({ maxDepth: 1 }),
          tie("schema"),
          fc.array(tie("schema"), { maxLength: 2 }),
          fc.dictionary(fc.string(), tie("schema"), { maxKeys: 2 }),
        ),
      ),
    }));
    const known =
      /^(?:\$id|\$anchor|\$ref|\$defs|type|format|title|description|enum|required|minItems|maxItems|minimum|maximum|propertyOrdering|items|prefixItems|anyOf|oneOf|properties|additionalProperties)$/;
    fc.assert(
      fc.property(schema, (given) => {
        for (const key of keywordsOf(converted(given))) expect(key).toMatch(known);
      }),
    );
  });

  it("is the same when it is converted again", () => {
    const schema = {
      type: "object",
      properties: { a: { const: "x" }, b: { type: "integer", exclusiveMinimum: 3 } },
      definitions: { c: { nullable: true, type: "string" } },
    };
    expect(converted(converted(schema))).toEqual(converted(schema));
  });
});

/** The keywords of a schema and of all in it, where they are keywords and no data. */
function keywordsOf(schema: unknown): string[] {
  if (typeof schema !== "object" || schema === null) return [];
  return Object.entries(schema).flatMap(([key, value]: [string, unknown]) =>
    [key].concat(schemasIn(key, value).flatMap((inner) => keywordsOf(inner))),
  );
}

function schemasIn(key: string, value: unknown): unknown[] {
  if (key === "items" || key === "additionalProperties") return [value];
  if (typeof value !== "object" || value === null) return [];
  return /^(?:properties|\$defs|anyOf|oneOf|prefixItems)$/.test(key) ? Object.values(value) : [];
}
