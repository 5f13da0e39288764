import { capabilities } from "@tuloy/contract";
import type { Capability } from "@tuloy/contract";
import { Command, Option } from "commander";

import { nearestFew } from "../config/nearest.ts";
import { processIo, styled, jsonOfBoth, printJson, printJsonLines } from "./command-io.ts";
import type { CommandIo } from "./command-io.ts";
import { modelLines, modelPage } from "./model-views.ts";
import type { ModelLine } from "./model-views.ts";
import { pageLines } from "./model-page.ts";
import { modelsScope } from "./models-scope.ts";
import type { ModelsScope } from "./models-scope.ts";
import { refuse } from "./records.ts";
import type { RecordFlags } from "./records.ts";
import { printable } from "./render/text.ts";
import { table } from "./table.ts";

interface ModelFlags extends RecordFlags {
  readonly provider?: string;
  readonly capability?: readonly Capability[];
  readonly search?: string;
  readonly json?: true;
}

/** `tuloy models`: what there is; `tuloy models NAME`: who serves it, for how much, and what could stand in. */
export function modelsCommand(io: CommandIo = processIo): Command {
  return new Command("models")
    .description("List the models of the catalog, or show one: who serves it, prices, windows, quirks, equivalents.")
    .argument("[name]", "a model's name, an alias, or a provider's own id of it")
    .option("-c, --config <file>", "the configuration file (default: tuloy.yaml in this directory, if there is one)")
    .option("--data-dir <directory>", "the data directory, instead of the configuration's")
    .option("--provider <name>", "only what this provider or kind of provider serves")
    .addOption(new Option("--capability <ability...>", "only what can do all of this").choices(capabilities))
    .option("--search <text>", "only names that hold this")
    .option(...jsonOfBoth)
    .action((name: string | undefined, flags: ModelFlags) => models(name, flags, io));
}

async function models(name: string | undefined, flags: ModelFlags, io: CommandIo): Promise<void> {
  const scope = await modelsScope(flags, io);
  if (typeof scope === "string") return refuse(scope, io);
  for (const warning of scope.warnings) io.stderr.write(`${styled("yellow", warning, io.stderr)}\n`);
  if (name === undefined) list(scope, flags, io);
  else show(scope, name, flags, io);
}

function list(scope: ModelsScope, flags: ModelFlags, io: CommandIo): void {
  const unknown = unknownProvider(scope, flags.provider);
  if (unknown !== null) return refuse(unknown, io);
  const lines = modelLines(scope, {
    provider: flags.provider ?? null,
    capabilities: flags.capability ?? [],
    search: flags.search ?? null,
  });
  if (flags.json) {
    printJsonLines(lines, io);
    return;
  }
  if (lines.length === 0) return void io.stdout.write("No model is so.\n");
  const isConfigured = scope.snapshot !== null;
  const headings = ["model", "author", "context", "providers", "best price in / out per M"];
  const [first = "", ...rows] = table(
    isConfigured ? [...headings, "configured here"] : headings,
    lines.map((line) => cells(line, isConfigured)),
  );
  const synced = scope.syncedAt === null ? "as it came with this version" : `synced ${scope.syncedAt}`;
  const count = `${lines.length} ${lines.length === 1 ? "model" : "models"} (catalog ${synced})`;
  const legend =
    "providers: kinds that serve it by themselves + others, which tuloy models NAME lists and you would declare";
  io.stdout.write(`${[styled("dim", first, io.stdout), ...rows, "", legend, count].join("\n")}\n`);
}

function unknownProvider({ catalog, snapshot }: ModelsScope, name: string | undefined): string | null {
  if (name === undefined || catalog.providers.has(name) || snapshot?.providers.has(name) === true) return null;
  const near = nearestFew(name, [...catalog.providers.keys(), ...(snapshot?.providers.keys() ?? [])], 3);
  return `No provider here and none of the catalog is called ${printable(name)}.${nearestHint(near)}`;
}

function nearestHint(names: readonly string[]): string {
  return names.length === 0 ? "" : ` Nearest: ${names.join(", ")}.`;
}

function cells(
  { model, author, context, kinds, others, best_price: best, configured }: ModelLine,
  isConfigured: boolean,
): string[] {
  const row = [
    printable(model),
    author ?? "of this file",
    context === null ? "unknown" : context.toLocaleString("en-US"),
    others === 0 ? `${kinds.length}` : `${kinds.length} + ${others}`,
    best === null ? "unknown" : `$${best.input} / $${best.output} ${best.provider}`,
  ];
  return isConfigured ? [...row, (configured ?? []).join(", ")] : row;
}

function show(scope: ModelsScope, asked: string, flags: ModelFlags, io: CommandIo): void {
  const { catalog, snapshot } = scope;
  const alias = catalog.model(asked)?.name ?? snapshot?.aliases.get(asked) ?? asked;
  const read = catalog.model(alias) === null ? catalog.readId(asked) : null;
  const name = read?.model ?? alias;
  if (catalog.model(name) === null && snapshot?.models.has(name) !== true) {
    const names = catalog.models.flatMap(({ name: own, aliases }) => aliases.concat(own));
    names.push(...(snapshot?.models.keys() ?? []));
    return refuse(
      `Nothing is known of a model ${printable(asked)}.${nearestHint(nearestFew(asked, [...new Set(names)], 3))}`,
      io,
    );
  }
  const page = modelPage(scope, name);
  if (flags.json) printJson({ ...page, read_as: read }, io);
  else io.stdout.write(`${pageLines(page, read, scope, io).join("\n")}\n`);
}
