import { expect, it } from "vitest";

import { builtInData } from "./built-in.ts";
import { bedrockProfiles } from "./bedrock-profiles.ts";

it("every profile that is described by hand is in the built-in data, for a model of it", () => {
  const names = new Set(builtInData.models.map(({ name }) => name));
  for (const [kind, rows] of Object.entries(bedrockProfiles)) {
    const ids = builtInData.offers[kind]?.map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids?.length);
    for (const [model, id] of rows) expect([id, names.has(model), ids?.includes(id)]).toEqual([id, true, true]);
  }
});
