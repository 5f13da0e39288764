export * from "./catalog.ts";
export * from "./cost.ts";
export type { CatalogModel, Offer } from "./facts.ts";
