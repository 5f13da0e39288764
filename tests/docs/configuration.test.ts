import { readFileSync } from "node:fs";

import { configSchema } from "@tuloy/contract";
import { describe, expect, test } from "vitest";

import { loadConfig } from "../../apps/gateway/src/config/read.ts";
import { readYaml } from "../../apps/gateway/src/config/yaml-source.ts";
import { configurationPage, pageFile } from "./configuration-page.ts";
import { blocks, page, pages } from "./markdown.ts";
import type { Block } from "./markdown.ts";

/** What every variable of a text holds: long enough for an API key, and different for each. */
function environmentFor(text: string): Record<string, string> {
  const names = [...text.matchAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g)].map(([, name = ""]) => name);
  return Object.fromEntries(names.map((name) => [name, `value-of-${name}-for-tests`]));
}

/** A fragment lacks at most its providers. */
function wholeFile({ note, text }: Block): string {
  if (note !== "fragment" || /^providers:/m.test(text)) return text;
  return `providers: { sandbox: { kind: sandbox } }\n${text}`;
}

const yamlBlocks = pages()
  .flatMap(blocks)
  .filter(({ language }) => language === "yaml");

describe("every configuration in the documentation is valid", () => {
  test.each(yamlBlocks.map((block) => [block.place, block] as const))("%s", (place, block) => {
    expect(["", "fragment"]).toContain(block.note);
    const text = wholeFile(block);
    const loaded = loadConfig(text, place, environmentFor(text));
    expect("problems" in loaded ? loaded.problems : []).toEqual([]);
  });

  test("among them that of the README and a complete one", () => {
    const places = yamlBlocks.map(({ place }) => place);
    expect(places.some((place) => place.startsWith("README.md"))).toBe(true);
    expect(places.some((place) => place.startsWith("docs/configuration.md"))).toBe(true);
  });
});

test("the configuration's page says what the schema says: npm run docs brings it up to date", () => {
  expect(readFileSync(pageFile, "utf8")).toBe(configurationPage());
});

test("the complete example has every field", () => {
  const example = blocks(page("docs/configuration.md")).find(({ language }) => language === "yaml");
  if (example === undefined) throw new Error("docs/configuration.md has no example");
  const present = fieldsIn(readYaml(example.text, environmentFor(example.text)).value);
  const missing = fieldsOf(configSchema.toJSONSchema({ io: "input", unrepresentable: "any" })).filter(
    (field) => !present.has(field),
  );
  expect(missing).toEqual([]);
});

interface Shape {
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly items?: Shape;
  readonly additionalProperties?: Shape | false;
  readonly anyOf?: readonly Shape[];
}

/** Every key that a schema knows, as `providers.*.keys.*.name`; `*` is any name or index. */
function fieldsOf(schema: object, path = ""): string[] {
  const { properties = {}, items, additionalProperties, anyOf = [] } = schema as Shape;
  const found: string[] = [];
  for (const [key, inner] of Object.entries(properties)) {
    found.push(`${path}${key}`, ...fieldsOf(inner, `${path}${key}.`));
  }
  if (items !== undefined) found.push(...fieldsOf(items, `${path}*.`));
  if (additionalProperties) found.push(...fieldsOf(additionalProperties, `${path}*.`));
  for (const option of anyOf) found.push(...fieldsOf(option, path));
  return found;
}

/** Every key that a value has, in the same form: names of the operator's own count both as themselves and as `*`. */
function fieldsIn(value: unknown, paths: readonly string[] = [""], found = new Set<string>()): Set<string> {
  if (typeof value !== "object" || value === null) return found;
  for (const [key, inner] of Object.entries(value)) {
    const own = paths.flatMap((path) => [`${path}${key}`, `${path}*`]);
    for (const path of own) found.add(path);
    fieldsIn(
      inner,
      own.map((path) => `${path}.`),
      found,
    );
  }
  return found;
}
