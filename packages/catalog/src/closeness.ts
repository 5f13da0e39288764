import type { Capability } from "@tuloy/contract";

/** What two models are compared by. Null: unknown. */
export interface ComparedModel {
  readonly name: string;
  readonly capabilities: ReadonlySet<Capability> | null;
  readonly hiddenReasoning: boolean;
  /** 1 to 5. */
  readonly tier: number | null;
  /** Tokens, input and output together. */
  readonly contextTokens: number | null;
  /** The lowest price it is served at: USD for a million tokens, three of input to one of output. */
  readonly usdPerMillion: number | null;
}

/** How close another model comes to the one that was asked for. */
export interface Closeness {
  readonly name: string;
  /** 0 to 1. */
  readonly score: number;
  /** What the score is made of, in words. */
  readonly why: string;
}

/** One aspect's part of the score, 0 to 1, and its words. */
interface Aspect {
  readonly part: number;
  readonly words: string;
}

/** What cannot be compared is neither near nor far. */
const unknownPart = 0.5;

/**
 * What an application notices first is what the other model cannot do, and then how well it does it; a smaller window
 * is a hard filter for requests that need it, and a price the cost cap's, so both weigh less here.
 */
const weights = { ability: 0.35, tier: 0.35, context: 0.1, cost: 0.2 } as const;

/** How well `other` could stand in for `asked`. Not symmetric: what it can do beyond is no distance. */
export function closenessOf(asked: ComparedModel, other: ComparedModel): Closeness {
  const aspects = {
    ability: ability(asked, other),
    tier: tier(asked, other),
    context: context(asked, other),
    cost: cost(asked, other),
  };
  const score =
    weights.ability * aspects.ability.part +
    weights.tier * aspects.tier.part +
    weights.context * aspects.context.part +
    weights.cost * aspects.cost.part;
  const why = [aspects.ability, aspects.tier, aspects.context, aspects.cost].map(({ words }) => words).join("; ");
  return { name: other.name, score: Math.round(score * 1000) / 1000, why };
}

/**
 * The models that come nearest, the nearest first, and by name where they are equal.
 * @param least the score below which a model is no equivalent
 * @param most how many
 */
export function nearestModels(
  asked: ComparedModel,
  others: Iterable<ComparedModel>,
  { least, most }: { readonly least: number; readonly most: number },
): Closeness[] {
  const found: Closeness[] = [];
  for (const other of others) {
    if (other.name === asked.name) continue;
    const closeness = closenessOf(asked, other);
    if (closeness.score >= least) found.push(closeness);
  }
  return found.sort((a, b) => b.score - a.score || (a.name < b.name ? -1 : 1)).slice(0, most);
}

function ability(asked: ComparedModel, other: ComparedModel): Aspect {
  if (asked.capabilities === null || other.capabilities === null) {
    return { part: unknownPart, words: "abilities unknown" };
  }
  const lacking: string[] = [...asked.capabilities.difference(other.capabilities)];
  if (asked.hiddenReasoning && !other.hiddenReasoning) lacking.push("reasoning");
  const wanted = asked.capabilities.size + (asked.hiddenReasoning ? 1 : 0);
  if (lacking.length === 0) return { part: 1, words: `does all that ${asked.name} does` };
  return { part: 1 - lacking.length / wanted, words: `lacks ${lacking.join(", ")}` };
}

const widestTierGap = 4;

function tier(asked: ComparedModel, other: ComparedModel): Aspect {
  if (asked.tier === null || other.tier === null) return { part: unknownPart, words: "tier unknown" };
  const gap = Math.abs(asked.tier - other.tier);
  const words = gap === 0 ? `same tier ${asked.tier}` : `tier ${other.tier} for ${asked.tier}`;
  return { part: 1 - gap / widestTierGap, words };
}

function context(asked: ComparedModel, other: ComparedModel): Aspect {
  if (asked.contextTokens === null || other.contextTokens === null) {
    return { part: unknownPart, words: "window unknown" };
  }
  const part = Math.min(1, other.contextTokens / asked.contextTokens);
  const words = part === 1 ? "as large a window" : `a window of ${Math.round(part * 100)}%`;
  return { part, words };
}

function cost(asked: ComparedModel, other: ComparedModel): Aspect {
  if (asked.usdPerMillion === null || other.usdPerMillion === null) {
    return { part: unknownPart, words: "price unknown" };
  }
  if (other.usdPerMillion <= asked.usdPerMillion) return { part: 1, words: "costs no more" };
  if (asked.usdPerMillion === 0) return { part: 0, words: "costs something where the asked one is free" };
  const times = other.usdPerMillion / asked.usdPerMillion;
  return { part: 1 / times, words: `costs ${times.toFixed(1)} times as much` };
}

/** The price that models are compared by. A conversation sends about three times what it gets. */
export function blendedUsd(price: { readonly input: number; readonly output: number }): number {
  return (3 * price.input + price.output) / 4;
}
