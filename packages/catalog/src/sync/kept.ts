import { capabilities, servedQuantizations } from "@tuloy/contract";
import { z } from "zod";

import { Catalog } from "../catalog.ts";
import type { CatalogData } from "../data-rows.ts";
import { links } from "../facts.ts";
import { layOver } from "../lay-over.ts";
import { tokenizers } from "../tokens/tokenizer.ts";

/** Names go into lines and tables: printable ASCII, without spaces at the ends. */
const word = z.string().regex(/^[\x21-\x7e]{1,300}$/);
const words = z.string().regex(/^[^\p{Cc}]{1,1000}$/u);
const modelName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:/+-]{0,199}$/);
const tokens = z.int().positive();
const usd = z.number().nonnegative();
const abilities = z.array(z.enum(capabilities)).optional();

export const modelRowSchema = z.strictObject({
  name: modelName,
  author: word,
  title: words,
  aliases: z.array(word),
  embeds: z.strictObject({ dimensions: tokens, normalized: z.boolean().nullable() }).optional(),
  context: tokens,
  output: tokens.optional(),
  can: abilities,
  unseen: z.literal(true).optional(),
  open: z.literal(true).optional(),
  tokenizer: z.enum(tokenizers).optional(),
  family: word.optional(),
  tier: z.int().min(1).max(5).optional(),
  refuses: z.array(word).optional(),
  quirks: z.array(words).optional(),
  verified: z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}$/)
    .optional(),
});

const price = z.union([z.tuple([usd, usd]), z.tuple([usd, usd, usd]), z.tuple([usd, usd, usd.nullable(), usd])]);

const details = z.strictObject({
  region: word.optional(),
  precision: z.enum(servedQuantizations).optional(),
  variant: words.optional(),
  context: tokens.optional(),
  output: tokens.optional(),
  can: abilities,
  only: z.literal("openai-responses").optional(),
});

const head = [modelName, word, z.enum(links), price.nullable()] as const;
export const offerRowSchema = z.union([z.tuple([...head]), z.tuple([...head, details])]);

export const providerRowSchema = z.strictObject({
  name: word,
  title: words,
  kind: z.literal(true).optional(),
  url: word.optional(),
  docs: word.optional(),
});

const data = z.strictObject({
  models: z.array(modelRowSchema),
  providers: z.array(providerRowSchema),
  offers: z.record(z.string(), z.array(offerRowSchema)),
});

const keptSchema = z.strictObject({
  /** Of this file's form. */
  format: z.literal(1),
  /** The address or file it is from. */
  source: words,
  /** When it was fetched, as ISO 8601 in UTC. */
  at: z.iso.datetime(),
  /** What to ask the source with whether it has changed. */
  etag: words.nullable(),
  data,
  removed: z.record(z.string(), z.array(word)),
});

/** What a sync keeps: what differs from what Tuloy comes with. */
export interface KeptCatalog {
  readonly format: 1;
  readonly source: string;
  readonly at: string;
  readonly etag: string | null;
  readonly data: CatalogData;
  /** Ids that the source does not list any more, by provider. */
  readonly removed: Readonly<Record<string, readonly string[]>>;
}

/** @returns what is kept, or in words why it can't be used */
export function readKept(text: string): KeptCatalog | string {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return "it is not JSON";
  }
  if (isKept(json)) return json;
  const [issue] = keptSchema.safeParse(json).error?.issues ?? [];
  return `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "it has another form"}`;
}

/** The schema is of the type's form, and what is absent in JSON is never undefined. */
function isKept(json: unknown): json is KeptCatalog {
  return keptSchema.safeParse(json).success;
}

/** The catalog with what a sync kept laid over it. */
export function withKept(builtIn: Catalog, { data: kept, removed }: KeptCatalog): Catalog {
  return new Catalog(layOver(builtIn.data, kept, removed));
}
