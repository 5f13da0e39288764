import { effortBudgets, effortOf, type HubReasoning } from "../hub/request.ts";
import type { JsonObject } from "../json/value.ts";
import type { ClaudeWays } from "./claude.ts";
import type { Notes } from "./write-content.ts";

/** The least that may be thought with (https://platform.claude.com/docs/en/build-with-claude/extended-thinking). */
const leastBudget = 1024;
const usualBudget = 8192;

/** How a request asks for thinking. */
export interface WrittenThinking {
  /** Members `thinking`; empty: nothing is asked for. */
  readonly members: JsonObject;
  /** For `output_config`. */
  readonly effort: string | null;
  /** Thinking was asked for, so sampling and forced tools are not taken. */
  readonly on: boolean;
}

const nothing: WrittenThinking = { members: {}, effort: null, on: false };

/** @param forcesTool the request demands a call, which no model does while it thinks */
export function writeThinking(
  reasoning: HubReasoning | null,
  maxTokens: number,
  ways: ClaudeWays,
  forcesTool: boolean,
  notes: Notes,
): WrittenThinking {
  if (reasoning === null) return nothing;
  const effort = ways.adaptive ? effortFor(reasoning, ways) : null;
  if (!reasoning.enabled) {
    if (!ways.quiet) notes.add("thinking could not be turned off: this model always thinks");
    return { members: ways.quiet ? { thinking: { type: "disabled" } } : {}, effort: null, on: false };
  }
  if (forcesTool) {
    notes.add("reasoning was left out: a call is demanded, and the two exclude each other");
    return nothing;
  }
  // Models that think by a budget show it, and the older ones of them know no other way.
  const display = reasoning.shown === null ? {} : { display: reasoning.shown ? "summarized" : "omitted" };
  if (ways.adaptive) return { members: { thinking: { type: "adaptive", ...display } }, effort, on: true };
  const wanted = reasoning.budget ?? effortBudgets[reasoning.effort ?? ""] ?? usualBudget;
  const budget = Math.min(Math.max(wanted, leastBudget), maxTokens - 1);
  if (budget < leastBudget) {
    notes.add(`reasoning was left out: an answer of ${maxTokens} tokens leaves no room for it`);
    return nothing;
  }
  return { members: { thinking: { type: "enabled", budget_tokens: budget } }, effort: null, on: true };
}

function effortFor({ effort, budget }: HubReasoning, { xhigh }: ClaudeWays): string | null {
  const stated = effort ?? (budget === null ? null : effortOf(budget));
  if (stated === "minimal") return "low";
  return stated === "xhigh" && !xhigh ? "high" : stated;
}
