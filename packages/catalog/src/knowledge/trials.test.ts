import { expect, it } from "vitest";

import { builtInCatalog as catalog } from "../catalog.ts";
import { isTwin, meansModel } from "../facts.ts";
import { trialKinds, trialOf } from "./trials.ts";

it.each(trialKinds)("what kind $kind offers is no twin by itself, though its ids mean the models", ({ kind }) => {
  const offers = catalog.offers(kind).filter(meansModel);
  expect(offers.length).toBeGreaterThan(0);
  expect(offers.filter(isTwin)).toEqual([]);
});

it("no twin serves another's model for nothing", () => {
  for (const { name } of catalog.providers.values()) {
    for (const offer of catalog.offers(name).filter(isTwin)) {
      const free = offer.price !== null && offer.price.input === 0 && offer.price.output === 0;
      expect([offer.id, free && offer.link !== "author"]).toEqual([offer.id, false]);
    }
  }
});

it("a price of 0 is a trial's at anybody but the author", () => {
  const nothing = { input: 0, output: 0 };
  expect(trialOf("somebody", "id", nothing)).toContain("costs nothing");
  expect(trialOf("zai", "author", nothing)).toBeNull();
  expect(trialOf("somebody", "id", { input: 0, output: 1 })).toBeNull();
  expect(trialOf("somebody", "id", null)).toBeNull();
});
