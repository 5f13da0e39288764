import type { WriteTarget } from "../hub/codec.ts";
import { effortBudgets, effortOf, type HubReasoning, type HubRequest } from "../hub/request.ts";
import type { JsonObject } from "../json/value.ts";
import type { ModelWays } from "./models.ts";

export interface ReasoningPlan {
  /** In the model's own words, for `additionalModelRequestFields`. */
  readonly fields: JsonObject;
  /** `outputConfig.effort`. */
  readonly effort: string | null;
  /** The model takes no sampling parameters while it reasons. */
  readonly samplingOff: boolean;
}

const silent: ReasoningPlan = { fields: {}, effort: null, samplingOff: false };

/** The least that Claude can be given to think with. */
const leastBudget = 1024;

/** What of the rest of a request stands in reasoning's way. */
export interface Hindrances {
  /** A tool has to be called. */
  readonly forced: boolean;
  /** It goes on with a turn whose calls have no signed thought. */
  readonly bare: boolean;
}

/** How a request's wish to have the model reason, or not, is said to this model. */
export function planReasoning(
  { reasoning, maxTokens }: HubRequest,
  { outputTokens }: WriteTarget,
  ways: ModelWays,
  { forced, bare }: Hindrances,
  notes: Set<string>,
): ReasoningPlan {
  if (reasoning === null) return silent;
  const leaveOut = (why: string): ReasoningPlan => {
    notes.add(`reasoning was left out: ${why}`);
    return silent;
  };
  switch (ways.reasoning) {
    case "none":
      return reasoning.enabled ? leaveOut("this model has no setting for it") : silent;
    case "effort":
      return { ...silent, fields: { reasoning_effort: threeEfforts(reasoning) } };
    case "nova":
      return nova(reasoning);
    case "adaptive":
      if (!reasoning.enabled) {
        return ways.claude?.quiet === false
          ? leaveOut("this model always reasons")
          : { ...silent, fields: { thinking: { type: "disabled" } } };
      }
      // https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html
      if (forced) return leaveOut("this model does not think when it has to call a tool");
      return {
        fields: { thinking: adaptiveThinking(reasoning, ways) },
        effort: claudeEffort(reasoning, ways),
        samplingOff: true,
      };
    case "budget": {
      // Those that have to be told to think do not otherwise.
      if (!reasoning.enabled) return silent;
      if (forced) return leaveOut("this model does not think when it has to call a tool");
      if (bare) return leaveOut("the turn that it is in began without a signed thought");
      const most = (maxTokens ?? outputTokens ?? Infinity) - 1;
      if (most < leastBudget) return leaveOut(`max_tokens leaves less than ${leastBudget} tokens for it`);
      const budget = Math.max(leastBudget, Math.min(budgetOf(reasoning), most));
      return { ...silent, fields: { thinking: { type: "enabled", budget_tokens: budget } }, samplingOff: true };
    }
  }
}

/** Claude since 4.7 keeps its thoughts to itself unless it is asked for a summary. */
function adaptiveThinking({ shown }: HubReasoning, { claude }: ModelWays): JsonObject {
  return { type: "adaptive", ...(shown === true && claude?.sampling === false ? { display: "summarized" } : {}) };
}

function budgetOf({ budget, effort }: HubReasoning): number {
  return budget ?? effortBudgets[effort ?? "medium"] ?? effortBudgets.medium ?? leastBudget;
}

/** Null: the model's own. */
function claudeEffort({ effort, budget }: HubReasoning, { claude }: ModelWays): string | null {
  if (effort === null) return budget === null ? null : effortOf(budget);
  if (effort === "minimal") return "low";
  return effort === "xhigh" && claude?.xhigh === false ? "high" : effort;
}

/** `low`, `medium`, `high` are all that they know. */
function threeEfforts({ enabled, effort, budget }: HubReasoning): "low" | "medium" | "high" {
  if (!enabled || effort === "minimal" || effort === "low") return "low";
  if (effort === null) return budget === null ? "medium" : effortOf(budget);
  return effort === "medium" ? "medium" : "high";
}

/** https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html: it does not reason unless told to. */
function nova(reasoning: HubReasoning): ReasoningPlan {
  if (!reasoning.enabled) return silent;
  const effort = threeEfforts(reasoning);
  return {
    fields: { reasoningConfig: { type: "enabled", maxReasoningEffort: effort } },
    effort: null,
    samplingOff: effort === "high",
  };
}
