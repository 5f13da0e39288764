import { describe, expect, it } from "vitest";

import { TokenKeeper, type FetchedToken, type Token } from "./token-keeper.ts";

const minute = 60_000;

function tokenUntil(expiresAt: number, name = "t"): Token {
  return { headers: ["authorization", `Bearer ${name}`], expiresAt };
}

/** Fetches that wait to be answered. */
class Fetches {
  readonly open: PromiseWithResolvers<FetchedToken>[] = [];
  readonly keeper = new TokenKeeper(() => {
    const fetching = Promise.withResolvers<FetchedToken>();
    this.open.push(fetching);
    return fetching.promise;
  });

  async answered(token: FetchedToken): Promise<void> {
    this.open.at(-1)?.resolve(token);
    await new Promise(setImmediate);
  }
}

describe("a token", () => {
  it("is fetched once, however many calls want it, and kept", async () => {
    const fetches = new Fetches();
    const waiting = Promise.all([1, 2, 3].map(() => fetches.keeper.authorize(0)));
    const token = tokenUntil(60 * minute);
    await fetches.answered(token);
    expect(await waiting).toEqual([token, token, token]);
    expect(await fetches.keeper.authorize(54 * minute)).toBe(token);
    expect(fetches.open).toHaveLength(1);
  });

  it("is renewed before its end, and nobody waits for that", async () => {
    const fetches = new Fetches();
    const first = fetches.keeper.authorize(0);
    await fetches.answered(tokenUntil(60 * minute, "first"));
    expect(await first).toMatchObject({ headers: ["authorization", "Bearer first"] });
    expect(await fetches.keeper.authorize(55 * minute)).toMatchObject({ headers: ["authorization", "Bearer first"] });
    expect(await fetches.keeper.authorize(55 * minute + 1)).toMatchObject({
      headers: ["authorization", "Bearer first"],
    });
    expect(fetches.open).toHaveLength(2);
    await fetches.answered(tokenUntil(115 * minute, "second"));
    expect(await fetches.keeper.authorize(56 * minute)).toMatchObject({ headers: ["authorization", "Bearer second"] });
    expect(fetches.open).toHaveLength(2);
  });

  it("holds to its end when renewing fails, which is tried again after a while", async () => {
    const fetches = new Fetches();
    const first = fetches.keeper.authorize(0);
    await fetches.answered(tokenUntil(60 * minute));
    await first;
    await fetches.keeper.authorize(55 * minute);
    fetches.open[1]?.reject(new Error("no connection"));
    await new Promise(setImmediate);
    await fetches.keeper.authorize(55 * minute + 1000);
    expect(fetches.open).toHaveLength(2);
    await fetches.keeper.authorize(55 * minute + 30_000);
    expect(fetches.open).toHaveLength(3);
    expect(await fetches.keeper.authorize(59 * minute)).toMatchObject({ headers: ["authorization", "Bearer t"] });
  });

  it("is not begun with when it is nearly over", async () => {
    const fetches = new Fetches();
    const first = fetches.keeper.authorize(0);
    await fetches.answered(tokenUntil(60 * minute));
    await first;
    const next = fetches.keeper.authorize(60 * minute - 5000);
    await fetches.answered(tokenUntil(120 * minute, "next"));
    expect(await next).toMatchObject({ headers: ["authorization", "Bearer next"] });
  });

  it("that was denied is asked for again by the next call", async () => {
    const fetches = new Fetches();
    const first = fetches.keeper.authorize(0);
    await fetches.answered({ denied: "rejected", reason: "revoked" });
    expect(await first).toEqual({ denied: "rejected", reason: "revoked" });
    const second = fetches.keeper.authorize(1);
    expect(fetches.open).toHaveLength(2);
    fetches.open[1]?.reject(new Error("down"));
    await expect(second).rejects.toThrow("down");
  });
});
