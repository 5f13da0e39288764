import type { CatalogData } from "../data-rows.ts";
import models from "./models.json" with { type: "json" };
import offers from "./offers.json" with { type: "json" };
import providers from "./providers.json" with { type: "json" };

/** The files are made by scripts/make-data.ts from the same types; a test reads each row with the schema of what a sync keeps. */
function asMade(rows: { models: unknown; offers: unknown; providers: unknown }): CatalogData {
  return rows as CatalogData;
}

/** What Tuloy comes with. JSON, since it is read in two milliseconds; as TypeScript it would take thirty. */
export const builtInData: CatalogData = asMade({ models, offers, providers });
