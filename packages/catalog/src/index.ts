export * from "./catalog.ts";
export * from "./closeness.ts";
export * from "./cost.ts";
export { loadTokenizer, type CountTokens, type Tokenizer } from "./tokens/tokenizer.ts";
export type { CatalogModel, Offer } from "./facts.ts";
