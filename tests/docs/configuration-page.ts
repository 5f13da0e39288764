import { readFileSync, writeFileSync } from "node:fs";

import { configSchema } from "@tuloy/contract";

/** What is between these in the page is made from the schema; everything else is written by hand. */
const begin = "<!-- made from the schema by `npm run docs` -->";
const end = "<!-- end of what is made from the schema -->";

export const pageFile = new URL("../../docs/configuration.md", import.meta.url);

/** The part of JSON Schema that the configuration's schema comes to. */
interface Shape {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
  readonly items?: Shape;
  readonly additionalProperties?: Shape | false;
  readonly anyOf?: readonly Shape[];
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  /** How a value is written, where the schema itself does not show it. */
  readonly written?: string;
  /** Set on durations: the shortest that is valid, in milliseconds. */
  readonly shortestMs?: number;
  /** Set on durations that may be switched off. */
  readonly off?: boolean;
}

/** The page as it should be: as it is, with the schema's part made anew. */
export function configurationPage(): string {
  const page = readFileSync(pageFile, "utf8");
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from === -1 || to < from) throw new Error(`docs/configuration.md needs the lines ${begin} and ${end}`);
  return `${page.slice(0, from)}${begin}\n\n${reference()}\n${page.slice(to)}`;
}

function reference(): string {
  const schema = configSchema.toJSONSchema({
    io: "input",
    // Text that the schema turns into something else is a duration, unless it says otherwise.
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema._zod.def.type !== "pipe" || jsonSchema["written"] !== undefined) return;
      const duration = zodSchema as unknown as typeof configSchema;
      jsonSchema["shortestMs"] = shortestMs(duration);
      jsonSchema["off"] = duration.safeParse("off").success;
    },
  }) as Shape;
  return sections("", schema).join("\n");
}

/** The bound is in the schema's code and nowhere else, so the schema is asked. */
function shortestMs(schema: Pick<typeof configSchema, "safeParse">): number {
  for (let ms = 0; ms <= 60_000; ms++) if (schema.safeParse(`${ms}ms`).success) return ms;
  throw new Error("a duration of the schema takes not even a minute");
}

/** One section for a group of keys, then those of the groups within it. */
function sections(path: string, shape: Shape): string[] {
  const group = groupOf(shape);
  const keys = Object.entries(group.properties ?? {});
  const rows = keys.map(([key, inner]) => {
    const needed = group.required?.includes(key) === true ? " (required)" : "";
    return `| \`${key}\` | ${valueOf(inner)}${needed} | ${meaningOf(inner)} |`;
  });
  const heading = path === "" ? "### The file" : `### \`${path}\``;
  return [
    heading,
    "",
    ...(path === "" || group.description === undefined ? [] : [escape(group.description), ""]),
    "| key | value | meaning |",
    "|---|---|---|",
    ...rows,
    "",
    ...keys.flatMap(([key, inner]) => innerSections(path === "" ? key : `${path}.${key}`, inner)),
  ];
}

function innerSections(path: string, shape: Shape): string[] {
  if (shape.properties !== undefined) return sections(path, shape);
  if (shape.items !== undefined && isGroup(shape.items)) return sections(`${path}[]`, shape.items);
  const named = shape.additionalProperties;
  return named !== undefined && named !== false && isGroup(named) ? sections(`${path}.<name>`, named) : [];
}

function isGroup(shape: Shape): boolean {
  return groupOf(shape).properties !== undefined;
}

/** Without the `null` that an empty value of a YAML key is. */
function groupOf(shape: Shape): Shape {
  return shape.anyOf?.find((option) => option.type !== "null") ?? shape;
}

function meaningOf(shape: Shape): string {
  if (shape.description === undefined) throw new Error("a field of the schema has no description");
  return escape(shape.description);
}

function valueOf(shape: Shape): string {
  if (shape.written !== undefined) return shape.written;
  if (shape.shortestMs !== undefined)
    return `duration, at least ${shape.shortestMs}ms${shape.off === true ? ", or `off`" : ""}`;
  if (shape.enum !== undefined) return choice(shape.enum.map((word) => `\`${word}\``));
  switch (shape.type) {
    case "integer":
      return `whole number${bounds(shape)}`;
    case "number":
      return `number${bounds(shape)}`;
    case "boolean":
      return "`true` or `false`";
    case "array":
      if (shape.items === undefined) throw new Error("a list of the schema does not say of what");
      return `list of ${isGroup(shape.items) ? "groups" : valueOf(shape.items)}`;
    case "object":
      return shape.properties === undefined ? "groups by name" : "group";
    case "string":
      return "text";
    case undefined:
    default:
      throw new Error(`the page has no words for the type ${String(shape.type)}`);
  }
}

function choice(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

function bounds({ type, minimum, exclusiveMinimum, maximum = Infinity }: Shape): string {
  const least = minimum ?? (type === "integer" && exclusiveMinimum !== undefined ? exclusiveMinimum + 1 : undefined);
  let words = "";
  if (least !== undefined) words += `, at least ${least}`;
  else if (exclusiveMinimum !== undefined) words += `, above ${exclusiveMinimum}`;
  // Zod gives every whole number the largest one that a number can hold.
  return maximum < Number.MAX_SAFE_INTEGER ? `${words}, at most ${maximum}` : words;
}

/** Inside a table a bar would end the cell, and `<…>` or `*` are Markdown's own. */
function escape(text: string): string {
  return text.replaceAll(/[|<*]/g, String.raw`\$&`);
}

if (import.meta.main) writeFileSync(pageFile, configurationPage());
