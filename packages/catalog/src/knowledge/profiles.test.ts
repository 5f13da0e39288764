import { describe, expect, it } from "vitest";

import { builtInCatalog as catalog } from "../catalog.ts";
import { isTwin } from "../facts.ts";
import { isAnswered, refusedIds, servesRegion } from "./profiles.ts";

describe("an id that AWS refuses", () => {
  it.each(refusedIds)("is of the catalog, and another one of its model is answered: $id", ({ kind, id }) => {
    const refused = catalog.offers(kind).filter((offer) => id.test(offer.id));
    expect(refused.length).toBeGreaterThan(0);
    for (const offer of refused) {
      expect([offer.id, offer.answered, isTwin(offer), offer.region]).toEqual([offer.id, false, false, null]);
      const others = catalog.offers(kind).filter(({ model, answered }) => model === offer.model && answered);
      expect([offer.id, others.length > 0]).toEqual([offer.id, true]);
    }
  });

  it.each([
    ["bedrock", "anthropic.claude-3-5-haiku-20241022-v1:0", true],
    ["bedrock", "anthropic.claude-3-7-sonnet-20250219-v1:0", false],
    ["bedrock", "eu.anthropic.claude-3-7-sonnet-20250219-v1:0", true],
    ["bedrock", "meta.llama3-3-70b-instruct-v1:0", true],
    ["openrouter", "anthropic.claude-opus-4-6-v1", true],
  ])("at %s: %s is answered: %s", (kind, id, answered) => {
    expect(isAnswered(kind, id)).toBe(answered);
  });
});

it("knows where profiles are called from, where their names do not tell", () => {
  expect(servesRegion("bedrock", "jp", "ap-northeast-1")).toBe(true);
  expect(servesRegion("bedrock", "jp", "ap-northeast-2")).toBeNull();
  expect(servesRegion("bedrock", "us", "us-gov-west-1")).toBe(false);
  expect(servesRegion("bedrock", "us-gov", "us-gov-west-1")).toBe(true);
  expect(servesRegion("vertex", "us", "us-gov-west-1")).toBeNull();
});
