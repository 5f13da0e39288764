/**
 * Inference profiles of Bedrock that the source does not list. Which there are:
 * https://platform.claude.com/docs/en/build-with-claude/claude-on-amazon-bedrock, and for Opus 4.7, which is not in its table, AWS's page of
 * the model (https://docs.aws.amazon.com/bedrock/latest/userguide/model-cards.html). A profile of one part of the world costs a tenth more
 * than the global one, for these models and all later ones: https://platform.claude.com/docs/en/about-claude/pricing.
 */
import type { OfferRow, PriceRow } from "../data-rows.ts";

function everywhere(model: string, id: string, [global, regional]: readonly [PriceRow, PriceRow]): OfferRow[] {
  return [
    [model, `global.${id}`, "id", global, { region: "global" }],
    [model, `us.${id}`, "id", regional, { region: "us" }],
    [model, `eu.${id}`, "id", regional, { region: "eu" }],
  ];
}

export const bedrockProfiles: Readonly<Record<string, readonly OfferRow[]>> = {
  bedrock: [
    ...everywhere("claude-haiku-4-5", "anthropic.claude-haiku-4-5-20251001-v1:0", [
      [1, 5, 0.1, 1.25],
      [1.1, 5.5, 0.11, 1.375],
    ]),
    ...everywhere("claude-opus-4-5", "anthropic.claude-opus-4-5-20251101-v1:0", [
      [5, 25, 0.5, 6.25],
      [5.5, 27.5, 0.55, 6.875],
    ]),
    ...everywhere("claude-opus-4-7", "anthropic.claude-opus-4-7", [
      [5, 25, 0.5, 6.25],
      [5.5, 27.5, 0.55, 6.875],
    ]),
    ...everywhere("claude-sonnet-4-5", "anthropic.claude-sonnet-4-5-20250929-v1:0", [
      [3, 15, 0.3, 3.75],
      [3.3, 16.5, 0.33, 4.125],
    ]),
  ],
};
