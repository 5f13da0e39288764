import type { CatalogData } from "../data-rows.ts";
import { ownData } from "../data/own.ts";
import { differenceOf } from "./change.ts";
import type { Difference } from "./change.ts";
import { generate, kindOf } from "./generate.ts";
import type { Source } from "./models-dev.ts";

/** What is new of a source, read against the models that are built in: they keep their names and what is known of them. */
export function newsOf(source: Source, builtIn: CatalogData): Difference {
  const models = new Map(
    Object.entries(builtIn.offers).map(([kind, rows]) => [kind, new Map(rows.map(([model, id]) => [id, model]))]),
  );
  const fresh = generate(source, builtIn.models, (kind, id) => models.get(kind)?.get(id));
  return differenceOf(builtIn, fresh, (kind) => stillThere(kind, source));
}

/** Ids that are not gone though they are not among the fresh offers: those that the source lists, and those that it never listed. */
function stillThere(kind: string, { providers }: Source): readonly string[] {
  const own = Object.hasOwn(ownData.offers, kind) ? (ownData.offers[kind] ?? []) : [];
  const listed = [...providers].flatMap(([name, provider]) => (kindOf(name) === kind ? provider.listed : []));
  return own.map(([, id]) => id).concat(listed);
}
