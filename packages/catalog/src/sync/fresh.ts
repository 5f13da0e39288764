import type { CatalogData } from "../data-rows.ts";
import { ownData } from "../data/own.ts";
import { differenceOf } from "./change.ts";
import type { Difference } from "./change.ts";
import { generate } from "./generate.ts";
import type { Source } from "./models-dev.ts";

/** What is new of a source, read against the models that are built in: they keep their names and what is known of them. */
export function newsOf(source: Source, builtIn: CatalogData): Difference {
  return differenceOf(builtIn, generate(source, builtIn.models), ownData);
}
