import { z } from "zod";

/** The public address of the source: models without their providers, and providers with what they serve. */
export const sourceAddress = "https://models.dev/catalog.json";

const tokens = z.number().int().nonnegative();
const usd = z.number().nonnegative();

/** What is read of a model or a provider's row; everything else in it is left alone. */
const row = z.object({
  name: z.string().min(1).max(200),
  attachment: z.boolean().optional(),
  reasoning: z.boolean().optional(),
  tool_call: z.boolean().optional(),
  structured_output: z.boolean().optional(),
  open_weights: z.boolean().optional(),
  modalities: z.object({ input: z.array(z.string()), output: z.array(z.string()) }).optional(),
  limit: z.object({ context: tokens, output: tokens.nullish() }).optional(),
  cost: z.object({ input: usd, output: usd, cache_read: usd.nullish(), cache_write: usd.nullish() }).optional(),
  status: z.string().optional(),
  /** `author/name` of the model that the row is of, where the source tells. */
  base_model: z.string().optional(),
});
export type SourceRow = z.output<typeof row>;

const provider = z.object({
  name: z.string().min(1).max(200),
  api: z.string().optional(),
  doc: z.string().optional(),
  models: z.record(z.string(), z.unknown()),
});

const combined = z.object({ models: z.record(z.string(), z.unknown()), providers: z.record(z.string(), z.unknown()) });
const providersOnly = z.record(z.string(), z.unknown());

interface SourceProvider {
  readonly title: string;
  readonly url: string | null;
  readonly docs: string | null;
  /** By the provider's own id. */
  readonly rows: ReadonlyMap<string, SourceRow>;
  /** Every id that it lists, also of rows that are not understood. */
  readonly listed: readonly string[];
}

/** What the source says, as far as it can be read. */
export interface Source {
  /** By `author/name`; empty where the source tells only what providers serve. */
  readonly models: ReadonlyMap<string, SourceRow>;
  readonly providers: ReadonlyMap<string, SourceProvider>;
  /** Rows that could not be read, in words. */
  readonly unread: readonly string[];
}

/** An id that could break a line, a table or a path is not one. */
const idPattern = /^[\x21-\x7e]{1,300}$/;

/**
 * Reads models.dev's JSON: `catalog.json`, or `api.json`, which has providers only. A row that is not understood is left out
 * and told; a document that is neither is an error.
 * @throws Error in words for a person
 */
export function readSource(json: unknown): Source {
  const both = combined.safeParse(json);
  const lone = both.success ? null : providersOnly.safeParse(json);
  if (lone !== null && !lone.success) throw new Error("this is not models.dev's JSON: it is no object of providers");
  const unread: string[] = [];
  const models = rowsOf(both.success ? both.data.models : {}, "model", unread);
  const providers = new Map<string, SourceProvider>();
  for (const [name, value] of Object.entries(both.success ? both.data.providers : (lone?.data ?? {}))) {
    const read = provider.safeParse(value);
    if (!read.success || !idPattern.test(name)) {
      unread.push(`provider ${JSON.stringify(name)}`);
      continue;
    }
    const { api, doc } = read.data;
    providers.set(name, {
      title: read.data.name,
      url: webAddress(api),
      docs: webAddress(doc),
      rows: rowsOf(read.data.models, name, unread),
      listed: Object.keys(read.data.models),
    });
  }
  if (providers.size === 0) throw new Error("this is not models.dev's JSON: no provider in it can be read");
  return { models, providers, unread };
}

function rowsOf(values: Readonly<Record<string, unknown>>, where: string, unread: string[]): Map<string, SourceRow> {
  const rows = new Map<string, SourceRow>();
  for (const [id, value] of Object.entries(values)) {
    const read = row.safeParse(value);
    if (read.success && idPattern.test(id)) rows.set(id, read.data);
    else unread.push(`${where} ${JSON.stringify(id)}`);
  }
  return rows;
}

function webAddress(text: string | undefined): string | null {
  const url = text === undefined ? null : URL.parse(text);
  return url !== null && url.protocol === "https:" ? (text ?? null) : null;
}
