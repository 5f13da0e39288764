import type { CatalogData } from "../data-rows.ts";
import models from "./models.json" with { type: "json" };
import offers from "./offers.json" with { type: "json" };
import providers from "./providers.json" with { type: "json" };

/** The files are made by scripts/make-data.ts from the same types; a test reads each row with the schema of what a sync keeps. */
function isMade(rows: Readonly<Record<keyof CatalogData, unknown>>): rows is CatalogData {
  return Array.isArray(rows.models) && Array.isArray(rows.providers) && typeof rows.offers === "object";
}

function made(rows: Readonly<Record<keyof CatalogData, unknown>>): CatalogData {
  if (!isMade(rows)) throw new Error("the files of the built-in catalog are not what scripts/make-data.ts writes");
  return rows;
}

/** What Tuloy comes with. JSON, since it is read in two milliseconds; as TypeScript it would take thirty. */
export const builtInData: CatalogData = made({ models, offers, providers });
