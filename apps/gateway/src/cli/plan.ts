import { capabilities, operations } from "@tuloy/contract";
import type { Capability, Operation } from "@tuloy/contract";
import { Command, InvalidArgumentError, Option } from "commander";

import { resolveModel, routeFor, routeMatches } from "../config/match.ts";
import type { RouteFacts } from "../config/match.ts";
import type { Route, Snapshot } from "../config/snapshot.ts";
import { processIo, styled } from "./command-io.ts";
import type { CommandIo } from "./command-io.ts";
import { loadStatic } from "./load.ts";
import { candidateCells, candidateHeadings, planOf, planView } from "./plan-view.ts";
import type { PlanView } from "./plan-view.ts";
import { table } from "./table.ts";

interface PlanFlags {
  readonly config?: string;
  readonly route?: string;
  readonly operation?: Operation;
  readonly workspace: string;
  readonly environment: string;
  readonly uses?: readonly Capability[];
  readonly tokens: number;
  readonly json?: true;
}

/** `tuloy plan MODEL`: which deployments would be tried, in which order, and why not the others. */
export function planCommand(io: CommandIo = processIo): Command {
  return new Command("plan")
    .description("Print which deployments a request for a model would try, in order, and why not the others.")
    .argument("<model>", "as a client would ask for it: gpt-4.1, openai/gpt-4.1, @provider/id")
    .option("-c, --config <file>", "the configuration file (default: tuloy.yaml in this directory)")
    .option("--route <name>", "by this route (default: the first that matches)")
    .addOption(new Option("--operation <operation>", "fail unless the model is for this").choices(operations))
    .option("--workspace <name>", "of the one who asks", "default")
    .option("--environment <name>", "of the one who asks", "production")
    .addOption(new Option("--uses <capability...>", "what the request uses beyond plain text").choices(capabilities))
    .option("--tokens <number>", "input plus requested output", wholeNumber, 0)
    .option("--json", "print JSON")
    .action((model: string, flags: PlanFlags) => plan(model, flags, io));
}

function wholeNumber(text: string): number {
  if (!/^\d{1,12}$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
}

async function plan(model: string, flags: PlanFlags, io: CommandIo): Promise<void> {
  const loaded = await loadStatic(flags.config, io);
  const answer = "message" in loaded ? loaded.message : planned(model, flags, loaded.snapshot);
  if (typeof answer === "string") {
    io.setExitCode(1);
    if (flags.json) io.stdout.write(`${JSON.stringify({ error: answer }, null, 2)}\n`);
    else io.stderr.write(`${answer}\n`);
  } else if (flags.json) {
    io.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
  } else {
    io.stdout.write(`${describe(answer, io).join("\n")}\n`);
  }
}

interface PlanAnswer extends PlanView {
  readonly requested: string;
  readonly lock: string | null;
  readonly route: string;
}

/** @returns the plan, or in words why there is none */
function planned(requested: string, flags: PlanFlags, snapshot: Snapshot): PlanAnswer | string {
  const resolved = resolveModel(snapshot, requested);
  if ("notFound" in resolved) {
    const hint = resolved.nearest.length === 0 ? "" : ` Nearest: ${resolved.nearest.join(", ")}.`;
    return `No provider here serves the model ${requested}.${hint}`;
  }
  const { entry, lock } = resolved;
  if (flags.operation !== undefined && flags.operation !== entry.operation) {
    return `${entry.model} is for ${entry.operation}, not for ${flags.operation}.`;
  }
  const { operation, model } = entry;
  const route = chosenRoute(snapshot, flags, {
    operation,
    model,
    workspace: flags.workspace,
    environment: flags.environment,
  });
  if (typeof route === "string") return route;
  const made = planOf(entry, route, { lock, capabilities: flags.uses ?? [], tokens: flags.tokens });
  return { requested, lock, route: route.name, ...planView(entry, made) };
}

function chosenRoute(snapshot: Snapshot, flags: PlanFlags, facts: RouteFacts): Route | string {
  if (flags.route === undefined) return routeFor(snapshot, facts);
  const named = snapshot.routes.find((route) => route.name === flags.route);
  if (named === undefined) {
    return `There is no route ${flags.route}. There are: ${snapshot.routes.map((route) => route.name).join(", ")}.`;
  }
  return routeMatches(named, facts) ? named : `The route ${named.name} does not apply to this request.`;
}

function describe(answer: PlanAnswer, io: CommandIo): string[] {
  const { model, operation, route, lock, candidates, exclusions } = answer;
  const locked = lock === null ? "" : `, locked to ${lock}`;
  const lines = [`${styled("bold", model, io.stdout)} (${operation}) by route ${route}${locked}`];
  if (candidates.length === 0) {
    lines.push(styled("red", "  no candidate is left: this request would be refused", io.stdout));
  } else {
    const rows = candidates.map((candidate, index) => [String(index + 1)].concat(candidateCells(candidate)));
    const [headings = "", ...cells] = table(["", ...candidateHeadings], rows);
    lines.push(`  ${styled("dim", headings, io.stdout)}`, ...cells.map((line) => `  ${line}`));
  }
  if (exclusions.length > 0) {
    const rows = exclusions.map(({ deployment, reason, detail }) => [deployment, reason, detail]);
    const [headings = "", ...cells] = table(["excluded", "reason", "in words"], rows);
    lines.push("", `  ${styled("dim", headings, io.stdout)}`, ...cells.map((line) => `  ${line}`));
  }
  return lines;
}
