export { builtInCatalog, Catalog } from "./catalog.ts";
export * from "./closeness.ts";
export * from "./cost.ts";
export { loadTokenizer, type CountTokens, type Tokenizer } from "./tokens/tokenizer.ts";
export { isTwin, meansModel, type CatalogModel, type CatalogProvider, type Link, type Offer } from "./facts.ts";
export { servesRegion } from "./knowledge/profiles.ts";
export type { ReadId } from "./ids/read-id.ts";
