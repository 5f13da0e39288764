import { Command } from "commander";

import { formatProblem } from "../config/read.ts";
import type { ModelEntry, Route, Snapshot } from "../config/snapshot.ts";
import { processIo, styled, printJson } from "./command-io.ts";
import { completionViews, describeCompletion } from "./completion-view.ts";
import type { CommandIo } from "./command-io.ts";
import { loadStatic } from "./load.ts";
import type { StaticConfig } from "./load.ts";
import { anyRequest, candidateCells, candidateHeadings, planOf, planView } from "./plan-view.ts";
import type { PlanView } from "./plan-view.ts";
import { table } from "./table.ts";

interface CheckFlags {
  readonly config?: string;
  readonly json?: true;
}

/** `tuloy check`: is the configuration valid, and what would it do? Ends with 1 when it is not valid. */
export function checkCommand(io: CommandIo = processIo): Command {
  return new Command("check")
    .description("Validate the configuration and print the plan for every model in it.")
    .option("-c, --config <file>", "the configuration file (default: tuloy.yaml in this directory)")
    .option("--json", "print JSON")
    .action((flags: CheckFlags) => check(flags, io));
}

async function check(flags: CheckFlags, io: CommandIo): Promise<void> {
  const loaded = await loadStatic(flags.config, io);
  if ("message" in loaded) {
    io.setExitCode(1);
    if (flags.json) printJson({ valid: false, message: loaded.message, problems: loaded.problems }, io);
    else io.stderr.write(`${loaded.message}\n`);
    return;
  }
  const routes = routeViews(loaded.snapshot);
  if (flags.json) {
    const { version } = loaded.snapshot;
    printJson(
      {
        valid: true,
        file: loaded.name,
        version,
        warnings: loaded.warnings,
        providers: [...loaded.snapshot.providers.keys()],
        routes,
        completion: completionViews(loaded.snapshot),
        unverified: unverifiedOf(loaded.snapshot),
        ids_refused: idsRefusedOf(loaded.snapshot),
      },
      io,
    );
  } else {
    io.stdout.write(`${describe(loaded, routes, io).join("\n")}\n`);
  }
}

interface RouteView {
  readonly route: string;
  readonly strategy: string;
  /** What becomes of a stream that breaks after its first token. */
  readonly on_partial: string;
  readonly match: {
    readonly operation: string | null;
    readonly workspaces: readonly string[] | null;
    readonly environments: readonly string[] | null;
    readonly header: Readonly<Record<string, string>> | null;
  };
  readonly plans: readonly PlanView[];
}

function routeViews(snapshot: Snapshot): RouteView[] {
  const { routes, models } = snapshot;
  return routes.map((route, index) => ({
    route: route.name,
    strategy: route.strategy,
    on_partial: route.failover.onPartial,
    match: {
      operation: route.match.operation,
      workspaces: route.match.workspaces && [...route.match.workspaces],
      environments: route.match.environments && [...route.match.environments],
      header: route.match.headers && Object.fromEntries(route.match.headers),
    },
    plans: [...models.values()]
      .filter((entry) => applies(route, entry) && !routes.slice(0, index).some((before) => takesAll(before, entry)))
      .map((entry) => planView(entry, route, anyRequest, planOf(snapshot, entry, route, anyRequest))),
  }));
}

function applies({ match }: Route, entry: ModelEntry): boolean {
  return (
    (match.operation === null || match.operation === entry.operation) &&
    (match.models === null || match.models.some((glob) => glob.test(entry.model)))
  );
}

/** Nothing of this model is left for the routes behind, whoever asks. */
function takesAll(route: Route, entry: ModelEntry): boolean {
  const { workspaces, environments, headers } = route.match;
  return workspaces === null && environments === null && headers === null && applies(route, entry);
}

function describe({ name, snapshot, warnings }: StaticConfig, routes: readonly RouteView[], io: CommandIo): string[] {
  const counts = [
    count(snapshot.providers.size, "provider"),
    count(snapshot.models.size, "model"),
    count(routes.length, "route"),
  ];
  return [
    `${styled("green", `${name} is valid`, io.stdout)}: ${counts.join(", ")}`,
    ...warnings.map((warning) => styled("yellow", `warning: ${formatProblem(warning)}`, io.stdout)),
    ...routes.flatMap((route) => ["", ...describeRoute(route, io)]),
    ...unverifiedLines(snapshot),
    ...section("ids of files and the like are not forwarded (account_ids)", idsRefusedOf(snapshot).map(idsLine), io),
    ...section(
      "when a stream breaks after its first token",
      describeCompletion(snapshot.routes, completionViews(snapshot)),
      io,
    ),
  ];
}

/** Providers to whose accounts no ids are forwarded, and for which workspaces. */
function idsRefusedOf({ idsRefused }: Snapshot): IdsRefused[] {
  return [...(idsRefused ?? [])].map(([provider, workspaces]) => ({ provider, workspaces: [...workspaces] }));
}

interface IdsRefused {
  readonly provider: string;
  readonly workspaces: readonly string[];
}

function idsLine({ provider, workspaces }: IdsRefused): string {
  return `to ${provider} for ${workspaces.join(", ")}`;
}

/** Providers whose kind is made from public facts and not yet from its documentation, by name. */
function unverifiedOf({ providers }: Snapshot): { readonly provider: string; readonly kind: string }[] {
  return [...providers.values()].flatMap(({ name, preset: { kind, verified } }) =>
    verified ? [] : [{ provider: name, kind }],
  );
}

function unverifiedLines(snapshot: Snapshot): string[] {
  return unverifiedOf(snapshot).map(
    ({ provider, kind }) =>
      `${provider}: what is known of kind ${kind} is not yet verified; tuloy providers kinds ${kind} shows it`,
  );
}

function section(title: string, lines: readonly string[], io: CommandIo): string[] {
  return lines.length === 0
    ? []
    : ["", styled("bold", title, io.stdout), ...lines.map((line) => `  ${line}`.trimEnd())];
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

function describeRoute({ route, strategy, match, plans }: RouteView, io: CommandIo): string[] {
  const conditions = [
    match.operation,
    match.workspaces && `workspace ${match.workspaces.join(" or ")}`,
    match.environments && `environment ${match.environments.join(" or ")}`,
    match.header &&
      `header ${Object.entries(match.header)
        .map(([name, value]) => `${name}: ${value}`)
        .join(" and ")}`,
  ].filter((condition) => condition !== null);
  const title = `${styled("bold", `route ${route}`, io.stdout)} (${[`strategy ${strategy}`, ...conditions].join(", ")})`;
  if (plans.length === 0) return [title, "  applies to no model of this configuration"];
  const rows = plans.flatMap(planRows);
  const [headings = "", ...lines] = table(["model", "", ...candidateHeadings(strategy)], rows);
  return [title, `  ${styled("dim", headings, io.stdout)}`, ...lines.map((line) => `  ${line}`)];
}

function planRows({ model, strategy, candidates, equivalents, exclusions }: PlanView): string[][] {
  const others = equivalents.map(({ deployment, score }, index) => [
    candidates.length + index === 0 ? model : "",
    String(candidates.length + index + 1),
    deployment,
    score === null ? "listed equivalent" : `equivalent, closeness ${score}`,
  ]);
  if (candidates.length + others.length === 0)
    return [[model, "–", `no candidate: ${exclusions[0]?.detail ?? "nothing serves it"}`]];
  const rows = candidates.map((candidate, index) => [
    index === 0 ? model : "",
    String(index + 1),
    ...candidateCells(candidate, strategy),
  ]);
  return [...rows, ...others];
}
