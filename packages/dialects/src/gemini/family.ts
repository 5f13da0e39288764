import type { HubReasoning } from "../hub/request.ts";
import { effortBudgets, effortOf } from "../hub/request.ts";
import type { WriteTarget } from "../hub/codec.ts";

/** What of a Gemini model decides how it is asked. */
export interface Family {
  /** 2.5 for `gemini-2.5-flash`. */
  readonly generation: number;
  readonly tier: "pro" | "flash" | "flash-lite";
}

/** `gemini-flash-latest` and the like name no generation: they are the newest there is. */
const newest = 3;
/** Since Gemini 3: calls have ids and signatures that must come back, tools and schemas go together, thinking has levels. */
export const thirdGeneration = 3;

export function familyOf({ canonicalModel, model }: Pick<WriteTarget, "canonicalModel" | "model">): Family {
  const named = /gemini-(\d+(?:\.\d+)?)/.exec(canonicalModel) ?? /gemini-(\d+(?:\.\d+)?)/.exec(model);
  const name = `${canonicalModel} ${model}`;
  return {
    generation: named?.[1] === undefined ? newest : Number(named[1]),
    tier: /flash-?lite/.test(name) ? "flash-lite" : name.includes("pro") ? "pro" : "flash",
  };
}

interface ThinkingConfig {
  readonly thinkingLevel?: "MINIMAL" | "LOW" | "MEDIUM" | "HIGH";
  readonly thinkingBudget?: number;
  readonly includeThoughts?: true;
}

interface Thinking {
  /** Null: the request says nothing that the model could be told. */
  readonly config: ThinkingConfig | null;
  /** What the model does otherwise than it was asked, in words, or null. */
  readonly note: string | null;
}

/**
 * How a model is told to think: with a level since Gemini 3, with a budget of tokens before; both at once is answered with 400
 * (https://ai.google.dev/gemini-api/docs/thinking, "Controlling thinking").
 */
export function thinkingOf(reasoning: HubReasoning, family: Family): Thinking {
  const shown = reasoning.shown === true && reasoning.enabled ? { includeThoughts: true as const } : {};
  const told = family.generation >= thirdGeneration ? levelOf(reasoning, family) : budgetOf(reasoning, family);
  if (told === null)
    return { config: null, note: reasoning.enabled ? "reasoning was left out: the model has none" : null };
  const config = { ...told.config, ...shown };
  return { config: Object.keys(config).length === 0 ? null : config, note: told.note };
}

const levels: ReadonlyMap<string, NonNullable<ThinkingConfig["thinkingLevel"]>> = new Map([
  ["minimal", "MINIMAL"],
  ["low", "LOW"],
  ["medium", "MEDIUM"],
  ["high", "HIGH"],
]);

function levelOf({ enabled, effort, budget }: HubReasoning, { generation, tier }: Family): Thinking {
  const wanted = enabled ? (effort ?? (budget === null ? null : effortOf(budget))) : "minimal";
  if (wanted === null) return { config: {}, note: null };
  // Pro models know no minimal, and the first of them knew nothing between low and high.
  const level =
    wanted === "minimal" && tier === "pro"
      ? "low"
      : wanted === "medium" && tier === "pro" && generation === thirdGeneration
        ? "high"
        : wanted;
  const config = { thinkingLevel: levels.get(level) ?? "HIGH" };
  if (!enabled) return { config, note: `reasoning cannot be switched off there: it was set to ${level}` };
  return {
    config,
    note:
      level === wanted && levels.has(level)
        ? null
        : `reasoning effort ${wanted} was sent as ${config.thinkingLevel.toLowerCase()}`,
  };
}

/** The budgets that each tier of Gemini 2.5 takes, in tokens, and whether it can do without: the same page's table. */
const budgets = {
  pro: { least: 128, most: 32_768, off: false },
  flash: { least: 1, most: 24_576, off: true },
  "flash-lite": { least: 512, most: 24_576, off: true },
} as const;

/** @returns null for a model that does not think: it answers the wish with 400 */
function budgetOf({ enabled, effort, budget }: HubReasoning, { generation, tier }: Family): Thinking | null {
  if (generation < 2.5) return null;
  const { least, most, off } = budgets[tier];
  if (!enabled) {
    return off
      ? { config: { thinkingBudget: 0 }, note: null }
      : {
          config: { thinkingBudget: least },
          note: `reasoning cannot be switched off there: it was limited to ${least} tokens`,
        };
  }
  const wanted = budget ?? (effort === null ? null : (effortBudgets[effort] ?? most));
  if (wanted === null) return { config: {}, note: null };
  const given = Math.min(most, Math.max(least, Math.round(wanted)));
  return {
    config: { thinkingBudget: given },
    note: budget === null || given === budget ? null : `a reasoning budget of ${budget} tokens was sent as ${given}`,
  };
}
