import { Command } from "commander";

import { styled, type CommandIo, printJson, printJsonLines } from "./command-io.ts";
import { answerOf, continuationWord, kindViews, type KindView } from "./kind-view.ts";
import { table } from "./table.ts";

/** `tuloy providers kinds`: what a configuration's `kind` may be. It asks no gateway. */
export function kindsCommand(io: CommandIo): Command {
  return new Command("kinds")
    .description("List the kinds of provider that a configuration may name, or show what is known of one.")
    .argument("[kind]", "one of them, with its quirks")
    .action((kind: string | undefined, _flags: unknown, command: Command) =>
      kinds(kind, command.optsWithGlobals<{ json?: true }>().json === true, io),
    );
}

function kinds(kind: string | undefined, json: boolean, io: CommandIo): void {
  const all = kindViews();
  const shown = kind === undefined ? all : all.filter((view) => view.kind === kind);
  if (shown.length === 0) {
    io.stderr.write(`There is no kind of that name. There are: ${all.map((view) => view.kind).join(", ")}.\n`);
    io.setExitCode(1);
    return;
  }
  const [only] = shown;
  if (kind !== undefined && only !== undefined) {
    if (json) printJson(only, io);
    else io.stdout.write(`${page(only, io).join("\n")}\n`);
    return;
  }
  if (json) {
    printJsonLines(all, io);
    return;
  }
  const [headings = "", ...lines] = table(columns, all.map(cells));
  io.stdout.write(`${[styled("dim", headings, io.stdout), ...lines].join("\n")}\n`);
}

const columns = ["kind", "dialects", "continues", "caching", "retains", "trains", "verified"];

function cells(view: KindView): string[] {
  return [
    view.kind,
    Object.values(view.dialects).flat().join(", "),
    continuationWord(view),
    view.prompt_caching ?? "unknown",
    answerOf(view.retains),
    answerOf(view.trains),
    view.verified ? "yes" : "not yet",
  ];
}

function page(view: KindView, io: CommandIo): string[] {
  const address = view.base_url ?? (view.base_url_form === null ? "yours" : `yours, like ${view.base_url_form}`);
  const rows = [
    ["base_url", address],
    ...Object.entries(view.dialects).map(([operation, of]) => [operation, of.join(", ")]),
    ["key", view.key_required ? "required" : "optional"],
    ["continues", continuationWord(view)],
    ["caching", view.prompt_caching ?? "unknown"],
    ["retains", answerOf(view.retains)],
    ["trains", answerOf(view.trains)],
    ...(view.data_policy === null ? [] : [["data policy", view.data_policy]]),
    ...(view.refuses.length === 0 ? [] : [["refuses", view.refuses.join(", ")]]),
    ["verified", view.verified ? "yes" : "not yet: made from public facts"],
    ...(view.docs === null ? [] : [["docs", view.docs]]),
  ];
  return [
    styled("bold", view.kind, io.stdout),
    ...table(["", ""], rows)
      .slice(1)
      .map((line) => `  ${line}`),
    ...(view.quirks.length === 0 ? [] : ["", ...view.quirks.map((quirk) => `  - ${quirk}`)]),
  ];
}
