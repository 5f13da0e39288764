import { effortBudgets, effortOf, type HubReasoning } from "../hub/request.ts";
import { isObject, type JsonObject } from "../json/value.ts";
import type { ClaudeWays } from "./claude.ts";
import type { Notes } from "./write-content.ts";

/** The least that may be thought with (https://platform.claude.com/docs/en/build-with-claude/extended-thinking). */
const leastBudget = 1024;
const usualBudget = 8192;
/** Of the longest answer, what an effort may take at most (https://openrouter.ai/docs/use-cases/reasoning-tokens). */
const largestShare = 0.8;

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

/** What of the rest of a request stands in the way of thinking. */
export interface Hindrances {
  /** The deployment is known not to take the wish. */
  readonly refused: boolean;
  /** A call is demanded, which no model makes while it thinks. */
  readonly forcesTool: boolean;
  /** See `goesOnWithoutThought`. */
  readonly bare: boolean;
}

export function writeThinking(
  reasoning: HubReasoning | null,
  maxTokens: number,
  ways: ClaudeWays,
  { refused, forcesTool, bare }: Hindrances,
  notes: Notes,
): WrittenThinking {
  if (reasoning === null) return nothing;
  if (refused || !ways.thinks) {
    if (reasoning.enabled) notes.add("reasoning was left out: this model does not take the wish");
    return nothing;
  }
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
  if (bare) {
    notes.add(`reasoning was left out: ${withoutThought}`);
    return nothing;
  }
  const wanted = reasoning.budget ?? effortBudgets[reasoning.effort ?? ""] ?? usualBudget;
  // An effort leaves room for the answer; who names a budget has done so.
  const most = reasoning.budget === null ? Math.floor(maxTokens * largestShare) : maxTokens - 1;
  const budget = Math.min(Math.max(wanted, leastBudget), Math.max(most, leastBudget), maxTokens - 1);
  if (budget < leastBudget) {
    notes.add(`reasoning was left out: an answer of ${maxTokens} tokens leaves no room for it`);
    return nothing;
  }
  return { members: { thinking: { type: "enabled", budget_tokens: budget } }, effort: null, on: true };
}

export const withoutThought = "the turn of calls that is gone on with did not begin with a thought of this provider's";

/**
 * Whether a conversation is in the middle of a turn of calls that began without a thought. Models that think by a budget refuse to
 * think then: "Expected `thinking` or `redacted_thinking`, but found `tool_use`. When `thinking` is enabled, a final `assistant`
 * message must start with a thinking block"; those that think as they see fit do not mind
 * (https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking).
 * @param messages as Anthropic takes them
 */
export function goesOnWithoutThought(messages: readonly unknown[]): boolean {
  let first: JsonObject | null = null;
  let calls = false;
  for (const message of messages) {
    if (!isObject(message)) continue;
    if (message.role === "assistant") {
      first ??= message;
      calls = holds(message, "tool_use");
    } else if (message.role === "user" && !holds(message, "tool_result")) {
      first = null;
      calls = false;
    }
  }
  const last: unknown = messages.at(-1);
  if (first === null || !calls || !isObject(last) || last.role === "assistant") return false;
  const [begins] = Array.isArray(first.content) ? (first.content as readonly unknown[]) : [];
  return !isObject(begins) || (begins.type !== "thinking" && begins.type !== "redacted_thinking");
}

function holds({ content }: JsonObject, type: string): boolean {
  return Array.isArray(content) && content.some((block) => isObject(block) && block.type === type);
}

function effortFor({ effort, budget }: HubReasoning, { xhigh }: ClaudeWays): string | null {
  const stated = effort ?? (budget === null ? null : effortOf(budget));
  if (stated === "minimal") return "low";
  return stated === "xhigh" && !xhigh ? "high" : stated;
}
