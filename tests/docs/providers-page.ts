import { readFileSync, writeFileSync } from "node:fs";

import { answerOf, continuationWord, kindViews, type KindView } from "../../apps/gateway/src/cli/kind-view.ts";

/** What is between these in the page is made from the presets; everything else is written by hand. */
const begin = "<!-- made from the presets by `npm run docs` -->";
const end = "<!-- end of what is made from the presets -->";

export const providersFile = new URL("../../docs/providers.md", import.meta.url);

/** The page as it should be: as it is, with the presets' part made anew. */
export function providersPage(): string {
  const page = readFileSync(providersFile, "utf8");
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from === -1 || to < from) throw new Error(`docs/providers.md needs the lines ${begin} and ${end}`);
  return `${page.slice(0, from)}${begin}\n\n${reference(kindViews())}\n\n${page.slice(to)}`;
}

function reference(views: readonly KindView[]): string {
  return [
    "| kind | dialects | goes on | caching | retains | trains | verified |",
    "|---|---|---|---|---|---|---|",
    ...views.map((view) => `| ${cells(view).join(" | ")} |`),
    "",
    "## What to know of each",
    ...views.flatMap(section),
  ].join("\n");
}

function cells(view: KindView): string[] {
  return [
    view.docs === null ? `\`${view.kind}\`` : `[\`${view.kind}\`](${view.docs})`,
    Object.values(view.dialects).flat().join(", "),
    continuationWord(view),
    view.prompt_caching ?? "unknown",
    policy(view.retains, view.data_policy),
    policy(view.trains, view.data_policy),
    view.verified ? "yes" : "not yet",
  ];
}

function policy(fact: boolean | null, page: string | null): string {
  return page === null ? answerOf(fact) : `[${answerOf(fact)}](${page})`;
}

function section(view: KindView): string[] {
  const address = view.base_url ?? view.base_url_form;
  return [
    "",
    `### ${view.kind}`,
    "",
    address === null
      ? "Its address: yours."
      : `Its address: \`${address}\`${view.base_url === null ? ", as yours is" : ""}.`,
    ...(view.refuses.length === 0 ? [] : ["", `It takes no ${view.refuses.map((name) => `\`${name}\``).join(", ")}.`]),
    ...(view.quirks.length === 0 ? [] : ["", ...view.quirks.map((quirk) => `- ${escape(quirk)}`)]),
  ];
}

/** `<…>` and `*` are Markdown's own. */
function escape(text: string): string {
  return text.replaceAll(/[<*]/g, String.raw`\$&`);
}

if (import.meta.main) writeFileSync(providersFile, providersPage());
