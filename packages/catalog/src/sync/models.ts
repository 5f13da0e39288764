import type { Capability } from "@tuloy/contract";

import type { ModelRow } from "../data-rows.ts";
import { authorOf, spellingsOf } from "../ids/authors.ts";
import { namings } from "../knowledge/canonical.ts";
import { quirksOf, refusalsOf } from "../knowledge/quirks.ts";
import { tierOf } from "../knowledge/tiers.ts";
import { cannot, reasonsUnseen, takesFilesAnyway, takesToolsAnyway, tokenizerOf } from "../knowledge/traits.ts";
import type { SourceRow } from "./models-dev.ts";

/** A model of the source under its name here. */
export interface NamedRow {
  readonly author: string;
  readonly name: string;
  /** As the source calls it, without the author. */
  readonly sourceName: string;
  readonly row: SourceRow;
}

/** Names of models as the configuration takes them. */
const namePattern = /^[a-z0-9][a-z0-9._:+-]{0,199}$/;

/**
 * The source's models that a chat endpoint answers for, each with the author's and its own name here.
 * @param ownNames canonical names by every name of the models that are described here already
 */
export function namedRows(models: ReadonlyMap<string, SourceRow>, ownNames: ReadonlyMap<string, string>): NamedRow[] {
  const named: NamedRow[] = [];
  const all = new Set([...models.keys()].map(withoutAuthor));
  for (const [id, row] of models) {
    const slash = id.indexOf("/");
    if (slash === -1 || !isChat(id, row)) continue;
    const sourceName = id.slice(slash + 1);
    const lower = sourceName.toLowerCase();
    const name = ownNames.get(sourceName) ?? ownNames.get(lower) ?? canonicalName(sourceName, all);
    const author = authorOf(id.slice(0, slash)) ?? id.slice(0, slash);
    if (namePattern.test(name)) named.push({ author, name, sourceName, row });
  }
  return named;
}

function withoutAuthor(id: string): string {
  return id.slice(id.indexOf("/") + 1).toLowerCase();
}

/** Images, speech and ranks are no chat, and vectors come without the facts that tell whether two are of one space. */
function isChat(id: string, { modalities, limit }: SourceRow): boolean {
  if (/embed|rerank|whisper|-tts|voicechat/i.test(id)) return false;
  if (modalities !== undefined && !modalities.output.every((kind) => kind === "text")) return false;
  return limit !== undefined && limit.context > 0;
}

function canonicalName(sourceName: string, all: ReadonlySet<string>): string {
  if (Object.hasOwn(namings, sourceName)) return namings[sourceName]?.name ?? sourceName;
  const lower = sourceName.toLowerCase();
  const short = lower.replace(/-(instruct|it)$/, "");
  const isShared = all.has(short) || all.has(`${short}-thinking`) || all.has(`${short}-base`);
  return isShared ? lower : short;
}

/** One model of all the source's rows that are it. */
export function modelRow(rows: readonly [NamedRow, ...NamedRow[]]): ModelRow {
  // The row under the canonical name has the name that people know; else the last one in the source's order.
  const chosen = rows.find(({ sourceName, name }) => sourceName === name) ?? rows[0];
  const { author, name, row } = chosen;
  const titled = rows.find(({ row: { name: title } }) => !title.endsWith("(latest)")) ?? chosen;
  const openWeights = row.open_weights === true;
  const { family, tokenizer } = tokenizerOf(name);
  const refuses = refusalsOf(author, name);
  const quirks = quirksOf(author, name);
  const tier = tierOf(name);
  return {
    name,
    author,
    title: titled.row.name,
    aliases: aliasesOf(rows, author, name),
    context: row.limit?.context ?? 0,
    ...outputOf(row),
    can: capabilitiesOf(row, author, name),
    ...(row.reasoning === true && reasonsUnseen(author, openWeights) ? { unseen: true } : {}),
    ...(openWeights ? { open: true } : {}),
    ...(tokenizer === null ? {} : { tokenizer }),
    ...(family === null ? {} : { family }),
    ...(tier === null ? {} : { tier }),
    ...(refuses.length === 0 ? {} : { refuses }),
    ...(quirks.length === 0 ? {} : { quirks }),
  };
}

function outputOf({ limit }: SourceRow): { readonly output?: number } {
  const output = limit?.output ?? 0;
  return output === 0 ? {} : { output: Math.min(output, limit?.context ?? output) };
}

function aliasesOf(rows: readonly NamedRow[], author: string, name: string): string[] {
  const bare = new Set<string>();
  for (const { sourceName } of rows) {
    for (const also of [sourceName, sourceName.toLowerCase(), ...(namings[sourceName]?.also ?? [])]) bare.add(also);
  }
  bare.delete(name);
  const names = [name, ...bare];
  return [...bare, ...spellingsOf(author).flatMap((spelling) => names.map((one) => `${spelling}/${one}`))];
}

/**
 * What a model can do, in our words. Where the source says nothing of an ability, it counts as there: an unknown ability
 * excludes nothing, and a provider that lacks it says so.
 */
export function capabilitiesOf(row: SourceRow, author: string, name: string): Capability[] {
  const takes = new Set(row.modalities?.input ?? ["text"]);
  const tools = row.tool_call === true || takesToolsAnyway(name);
  const images = takes.has("image");
  const can: Capability[] = [];
  if (tools) can.push("tools");
  if (images) can.push("images");
  if (takes.has("pdf") || (images && takesFilesAnyway(author, name))) can.push("files");
  if (row.structured_output ?? row.tool_call === true) can.push("json_schema");
  if (takes.has("audio")) can.push("audio");
  const never = cannot(author, row.reasoning === true);
  for (const ability of ["logprobs", "n"] as const) if (!never.includes(ability)) can.push(ability);
  return can;
}
