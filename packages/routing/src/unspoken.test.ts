import { describe, expect, it } from "vitest";

import { Unspoken } from "./unspoken.ts";

const [id, dialect] = ["a/m", "anthropic-messages"] as const;
const minute = 60_000;

describe("a dialect that a deployment was found not to speak", () => {
  it("is remembered for an hour, of that deployment and that dialect", () => {
    const unspoken = new Unspoken();
    expect(unspoken.isEmpty).toBe(true);
    unspoken.learn(id, dialect, 0);
    expect(unspoken.isEmpty).toBe(false);
    expect(unspoken.includes(id, dialect, 60 * minute - 1)).toBe(true);
    expect(unspoken.includes("b/m", dialect, 0)).toBe(false);
    expect(unspoken.includes(id, "openai-responses", 0)).toBe(false);
    expect(unspoken.includes(id, dialect, 60 * minute)).toBe(false);
    expect(unspoken.mayAskOtherwise(id, dialect, 60 * minute)).toBe(true);
  });

  it("is not believed where the server answered in no other either, and not asked about again for a minute", () => {
    const unspoken = new Unspoken();
    expect(unspoken.mayAskOtherwise(id, dialect, 0)).toBe(true);
    unspoken.askedInVain(id, dialect, 0);
    expect(unspoken.includes(id, dialect, 0)).toBe(false);
    expect(unspoken.mayAskOtherwise(id, dialect, minute - 1)).toBe(false);
    expect(unspoken.mayAskOtherwise(id, dialect, minute)).toBe(true);
  });
});
