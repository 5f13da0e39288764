import { capabilities, operations } from "@tuloy/contract";
import type { Capability, Operation } from "@tuloy/contract";
import { Command, InvalidArgumentError, Option } from "commander";

import { resolveModel, routeFor, routeMatches } from "../config/match.ts";
import type { RouteFacts } from "../config/match.ts";
import type { Route, Snapshot } from "../config/snapshot.ts";
import { processIo, styled, printJson } from "./command-io.ts";
import type { CommandIo } from "./command-io.ts";
import { loadStatic } from "./load.ts";
import { anyRequest, candidateCells, candidateHeadings, planOf, planView } from "./plan-view.ts";
import type { PlanView, Wish } from "./plan-view.ts";
import { table } from "./table.ts";

interface PlanFlags {
  readonly config?: string;
  readonly route?: string;
  readonly operation?: Operation;
  readonly workspace: string;
  readonly environment: string;
  readonly uses?: readonly Capability[];
  readonly header?: readonly (readonly [string, string])[];
  readonly session?: string;
  readonly tokens: number;
  readonly output?: number;
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
    .option("--header <name=value>", "that the request has; may be repeated", header)
    .option("--session <name>", "that the request belongs to")
    .option("--tokens <number>", "input plus requested output (default for prices: 1000 in)", wholeNumber, 0)
    .option("--output <number>", "requested output (default: up to 4096 are expected)", wholeNumber)
    .option("--json", "print JSON")
    .action((model: string, flags: PlanFlags) => plan(model, flags, io));
}

function wholeNumber(text: string): number {
  if (!/^\d{1,12}$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
}

function header(text: string, before: readonly (readonly [string, string])[] = []): (readonly [string, string])[] {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("It must be a name, =, and a value.");
  return [...before, [text.slice(0, at).toLowerCase(), text.slice(at + 1)]];
}

async function plan(model: string, flags: PlanFlags, io: CommandIo): Promise<void> {
  const loaded = await loadStatic(flags.config, io);
  const answer = "message" in loaded ? loaded.message : planned(model, flags, loaded.snapshot);
  if (typeof answer === "string") {
    io.setExitCode(1);
    if (flags.json) printJson({ error: answer }, io);
    else io.stderr.write(`${answer}\n`);
  } else if (flags.json) {
    printJson(answer, io);
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
    headers: Object.fromEntries(flags.header ?? []),
  });
  if (typeof route === "string") return route;
  const wish: Wish = {
    lock,
    capabilities: flags.uses ?? [],
    tokens: flags.tokens,
    inputTokens: flags.tokens === 0 ? anyRequest.inputTokens : Math.max(0, flags.tokens - (flags.output ?? 0)),
    maxOutputTokens: operation === "embeddings" ? 0 : (flags.output ?? null),
    session: flags.session ?? null,
  };
  return { requested, lock, route: route.name, ...planView(entry, route, wish, planOf(snapshot, entry, route, wish)) };
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
  const { model, operation, route, strategy, lock, candidates, equivalents, exclusions, notes } = answer;
  const locked = lock === null ? "" : `, locked to ${lock}`;
  const how = strategy === "order" ? "" : `, strategy ${strategy}`;
  const lines = [`${styled("bold", model, io.stdout)} (${operation}) by route ${route}${how}${locked}`];
  if (candidates.length === 0) {
    const left =
      equivalents.length === 0 ? "no candidate is left: this request would be refused" : "no candidate is left";
    lines.push(styled("red", `  ${left}`, io.stdout));
  } else {
    const rows = candidates.map((candidate, index) => [String(index + 1)].concat(candidateCells(candidate, strategy)));
    lines.push(...section(["", ...candidateHeadings(strategy)], rows, io));
  }
  if (equivalents.length > 0) {
    const rows = equivalents.map(({ deployment, score, why }) => [
      deployment,
      score === null ? "listed" : `${score}`,
      why,
    ]);
    lines.push("", ...section(["then, of other models", "closeness", "in words"], rows, io));
  }
  if (exclusions.length > 0) {
    const rows = exclusions.map(({ deployment, reason, detail }) => [deployment, reason, detail]);
    lines.push("", ...section(["excluded", "reason", "in words"], rows, io));
  }
  if (notes.length > 0) lines.push("", ...notes.map((note) => `  ${note}`));
  return lines;
}

function section(headings: readonly string[], rows: readonly string[][], io: CommandIo): string[] {
  const [first = "", ...cells] = table(headings, rows);
  return [`  ${styled("dim", first, io.stdout)}`, ...cells.map((line) => `  ${line}`)];
}
