import type { Price } from "@tuloy/contract";

import type { Link } from "../facts.ts";

/** Kinds whose offers are for trying models, whatever the source says of prices. */
interface TrialKind {
  readonly kind: string;
  readonly says: string;
  readonly source: string;
}

export const trialKinds: readonly TrialKind[] = [
  {
    kind: "nvidia",
    says: "its hosted endpoints are for trying models: some forty requests a minute for the whole account",
    source: "https://build.nvidia.com",
  },
  {
    kind: "github-models",
    says: "it is for trying models: prompts of a few thousand tokens, and some requests a day",
    source: "https://docs.github.com/en/github-models/use-github-models/prototyping-with-ai-models",
  },
];

/**
 * Why an offer is no capacity that anybody can count on, in words; null: nothing is known against it. Nobody serves another's model for
 * nothing: a price of 0 is that of a trial, or of a subscription that costs something elsewhere. Of an author's own model it
 * may be the price.
 */
export function trialOf(kind: string, link: Link, price: Price | null): string | null {
  const known = trialKinds.find((trial) => trial.kind === kind);
  if (known !== undefined) return known.says;
  const costsNothing = price !== null && price.input === 0 && price.output === 0;
  return costsNothing && link !== "author" ? "it costs nothing there: a trial, or part of a subscription" : null;
}
