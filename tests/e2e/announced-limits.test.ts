import { answersChat, chatAnswer, chatChunks, FakeClock, type Script } from "@tuloy/testkit";
import { describe, expect, test } from "vitest";

import { model } from "../harness.ts";
import { post, question, setScene } from "../scene.ts";

const twoKeys = ["sk-first-of-two", "sk-second-of-two"];

/** Answers, and says with it what is left; a key that asks once too often gets the 429 that nobody should ever see. */
function counts(perKey: number, limits: (left: number) => Readonly<Record<string, string>>): Script {
  const used = new Map<string, number>();
  return (reply, request) => {
    const key = request.headers["authorization"] ?? "";
    const count = (used.get(key) ?? 0) + 1;
    used.set(key, count);
    if (count > perKey) return reply.json(429, { error: { message: "Too many.", code: "rate_limit_exceeded" } });
    return reply.json(200, chatAnswer("ok"), limits(perKey - count));
  };
}

const openai = (left: number): Record<string, string> => ({
  "x-ratelimit-limit-requests": "5",
  "x-ratelimit-remaining-requests": String(left),
  "x-ratelimit-reset-requests": "6m0s",
});

function keysOf(requests: readonly { readonly headers: Readonly<Record<string, string | undefined>> }[]): number[] {
  return twoKeys.map((key) => requests.filter(({ headers }) => headers["authorization"] === `Bearer ${key}`).length);
}

describe("what a provider says is left of a key", () => {
  test.each([
    ["OpenAI's way", openai],
    [
      "Anthropic's way",
      (left: number) => ({
        "anthropic-ratelimit-requests-remaining": String(left),
        "anthropic-ratelimit-requests-reset": new Date(1_000_000 + 360_000).toISOString(),
      }),
    ],
  ])("steers its calls to the sibling, and then to the twin, before any 429: %s", async (_name, limits) => {
    const { a, b, gateway } = await setScene(
      { a: counts(5, limits), b: answersChat("From the twin.") },
      { clock: new FakeClock(), providers: { a: { keys: twoKeys } } },
    );
    const providers: unknown[] = [];
    for (let request = 0; request < 15; request++) {
      const { headers } = await post(gateway);
      expect(headers["x-tuloy-failover"]).toBeUndefined();
      providers.push(headers["x-tuloy-provider"]);
    }
    expect(keysOf(a.requests)).toEqual([5, 5]);
    expect(b.requests).toHaveLength(5);
    expect(providers).toEqual([...Array<string>(10).fill("a"), ...Array<string>(5).fill("b")]);
  });

  test("is on the trace of a request that it sent elsewhere", async () => {
    const clock = new FakeClock();
    const { gateway } = await setScene({ a: counts(1, () => openai(0)), b: answersChat("From the twin.") }, { clock });
    await post(gateway);
    const { headers } = await post(gateway);
    clock.advance(1000);
    const trace = await gateway.trace(String(headers["x-tuloy-trace-id"]));
    expect(trace.attempts).toMatchObject([{ deployment: "b/model-x", kind: "first", failure: null }]);
    expect(trace.exclusions).toEqual([
      {
        deployment: "a/model-x",
        reason: "no_usable_key",
        detail: "key key-1 is left with 0 requests by its provider's count for 72 s",
      },
    ]);
  });

  test("is read from a stream's head as well, and for tokens too", async () => {
    const { a, b, gateway } = await setScene(
      {
        a: (reply, request) => {
          const head = {
            "x-ratelimit-remaining-requests": "100",
            "x-ratelimit-remaining-tokens": "50",
            "x-ratelimit-reset-tokens": "60",
          };
          if (!request.body.includes('"stream":true')) return reply.json(200, chatAnswer("ok"), head);
          reply.eventStream("chunked", head);
          for (const event of chatChunks(["ok"])) reply.chunk(event);
          return reply.end();
        },
        b: answersChat("From the twin."),
      },
      { clock: new FakeClock() },
    );
    expect((await post(gateway, { stream: true })).headers["x-tuloy-provider"]).toBe("a");
    expect((await post(gateway, { max_tokens: 10 })).headers["x-tuloy-provider"]).toBe("a");
    expect((await post(gateway, { max_tokens: 500 })).headers["x-tuloy-provider"]).toBe("b");
    expect([a.requests.length, b.requests.length]).toEqual([2, 1]);
  });

  test("is not believed where Azure says -1, or where it makes no sense", async () => {
    const sent = [
      { "x-ratelimit-remaining-requests": "-1", "x-ratelimit-remaining-tokens": "-1", "x-ratelimit-reset-tokens": "0" },
      { "x-ratelimit-remaining-requests": "NaN", "x-ratelimit-reset-requests": "99999999h" },
      { "x-ratelimit-remaining-requests": "0", "x-ratelimit-limit-requests": "0", "x-ratelimit-reset-requests": "1h" },
      { "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "0s" },
    ];
    const { a, b, gateway } = await setScene(
      {
        a: sent.map(
          (head): Script =>
            (reply) =>
              reply.json(200, chatAnswer("ok"), head),
        ),
        b: answersChat("never"),
      },
      { clock: new FakeClock() },
    );
    for (const _ of sent) expect((await post(gateway)).headers["x-tuloy-provider"]).toBe("a");
    expect([a.requests.length, b.requests.length]).toEqual([sent.length, 0]);
  });

  test("keeps nobody from the only key there is: an answer is worth more than a header", async () => {
    const { a, gateway } = await setScene(
      { a: (reply) => reply.json(200, chatAnswer("ok"), openai(0)) },
      { clock: new FakeClock() },
    );
    for (let request = 0; request < 3; request++) {
      const answer = await gateway.client().chat.completions.create(question);
      expect(answer.choices[0]?.message.content).toBe("ok");
    }
    expect(a.requests).toHaveLength(3);
  });
});

describe("a reserved provider key", () => {
  test("serves production and not staging, which is told why on its trace", async () => {
    const clock = new FakeClock();
    const stagingKey = "a-key-for-staging-that-nobody-guesses";
    const { a, b, gateway } = await setScene(
      { a: answersChat("From A."), b: answersChat("From B.") },
      {
        clock,
        providers: { a: { keys: [{ value: "sk-production-only", more: "environments: [production]" }] } },
        keys: [`{ name: staging, value: ${stagingKey}, environment: staging }`],
      },
    );
    expect((await post(gateway)).headers["x-tuloy-provider"]).toBe("a");
    const { headers } = await post(gateway, {}, { headers: { authorization: `Bearer ${stagingKey}` } });
    expect(headers["x-tuloy-provider"]).toBe("b");
    clock.advance(1000);
    const trace = await gateway.trace(String(headers["x-tuloy-trace-id"]));
    expect(trace.exclusions).toEqual([
      { deployment: `a/${model}`, reason: "no_usable_key", detail: "key key-1 is reserved for others" },
    ]);
    expect([a.requests.length, b.requests.length]).toEqual([1, 1]);
  });
});
