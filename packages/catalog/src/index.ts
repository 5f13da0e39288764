export * from "./catalog.ts";
export type { CatalogModel, Offer } from "./facts.ts";
