/**
 * Makes the built-in data anew: `npm run catalog:data -- FILE`, where FILE is models.dev's catalog.json (or api.json). It is
 * laid over what is described by hand in src/data, and written one row a line, so that a change can be read.
 */
import { readFileSync, writeFileSync } from "node:fs";

import { ownData } from "../src/data/own.ts";
import { layOver } from "../src/lay-over.ts";
import { generate } from "../src/sync/generate.ts";
import { readSource } from "../src/sync/models-dev.ts";

const [file] = process.argv.slice(2);
if (file === undefined) {
  console.error("usage: npm run catalog:data -- FILE");
  process.exit(2);
}

const source = readSource(JSON.parse(readFileSync(file, "utf8")));
// The source knows today's price of what is described by hand too.
const { models, providers, offers } = layOver(ownData, generate(source, ownData.models));

function write(name: string, text: string): void {
  writeFileSync(new URL(`../src/data/${name}.json`, import.meta.url), `${text}\n`);
}

function lines(rows: readonly unknown[]): string {
  return rows.map((row) => JSON.stringify(row)).join(",\n");
}

write("models", `[\n${lines(models)}\n]`);
write("providers", `[\n${lines(providers)}\n]`);
const kinds = Object.entries(offers)
  .filter(([, rows]) => rows.length > 0)
  .sort(([one], [other]) => (one < other ? -1 : 1));
write("offers", `{\n${kinds.map(([kind, rows]) => `${JSON.stringify(kind)}: [\n${lines(rows)}\n]`).join(",\n")}\n}`);
for (const unread of source.unread) console.error(`left out, since it is not understood: ${unread}`);
console.log(
  `${models.length} models, ${providers.length} providers, ${kinds.flatMap(([, rows]) => rows).length} offers`,
);
