import { statSync } from "node:fs";
import { join } from "node:path";

import { answersChat, canarySecret, collect, eventually, scanFor } from "@tuloy/testkit";
import { describe, expect, test } from "vitest";

import { control, controlKey, refusal, startDrill } from "../control.ts";
import { apiKey, model, type TestGateway } from "../harness.ts";
import { breakerOf, post, setScene } from "../scene.ts";

const json = { "content-type": "application/json" };

async function setUp(): Promise<TestGateway> {
  const { gateway } = await setScene({ a: answersChat("From A."), b: answersChat("From B.") });
  return gateway;
}

describe("the control plane", () => {
  test("opens to its own key alone", async () => {
    const gateway = await setUp();
    expect((await control(gateway, "GET", "/deployments")).status).toBe(200);
    const wrong = [
      "",
      "Bearer ",
      `Bearer ${apiKey}`,
      `Bearer ${controlKey(gateway.dataDir)}x`,
      controlKey(gateway.dataDir),
    ];
    for (const authorization of wrong) {
      for (const [method, path] of [
        ["GET", "/deployments"],
        ["GET", "/drills"],
        ["POST", "/deployments/isolate"],
        ["GET", "/nothing"],
      ] as const) {
        const body = method === "POST" ? { target: "a" } : undefined;
        const answer = await control(gateway, method, path, body, { authorization });
        expect(refusal(answer)).toMatchObject({ status: 401, code: "invalid_control_key" });
      }
    }
    expect(breakerOf(gateway, "a").isIsolated).toBe(false);
    // Nor does its key open the data plane.
    const authorization = `Bearer ${controlKey(gateway.dataDir)}`;
    expect((await post(gateway, {}, { headers: { authorization } })).status).toBe(401);
  });

  test("does not answer web pages, nor foreign host names, even with the key", async () => {
    const gateway = await setUp();
    for (const headers of [{ origin: "https://elsewhere.example" }, { host: "elsewhere.example" }]) {
      const answer = await control(gateway, "POST", "/deployments/isolate", { target: "a" }, headers);
      expect(refusal(answer)).toMatchObject({ status: 403, code: "forbidden_origin" });
    }
    expect(breakerOf(gateway, "a").isIsolated).toBe(false);
  });

  test.each([
    ["text", "POST", "/drills", "x", { "content-type": "text/plain" }, 415, "unsupported_media_type", /JSON/],
    [
      "a form",
      "POST",
      "/drills",
      "a=b",
      { "content-type": "application/x-www-form-urlencoded" },
      415,
      "unsupported_media_type",
      /JSON/,
    ],
    ["half a JSON", "POST", "/drills", '{"provider":', json, 400, "invalid_request", /cannot be read/],
    [
      "a prototype",
      "POST",
      "/drills",
      '{"__proto__":{"provider":"a"}}',
      json,
      400,
      "invalid_request",
      /cannot be read/,
    ],
    ["too much", "POST", "/drills", `{"provider":"${"x".repeat(70_000)}"}`, json, 413, "request_too_large", /64 KB/],
    ["a list", "POST", "/drills", "[]", json, 400, "invalid_request", /body/],
    ["nothing at all", "POST", "/drills", "{}", json, 400, "invalid_request", /provider.*fault/],
    [
      "an unknown field",
      "POST",
      "/drills",
      '{"provider":"a","fault":"503","foo":1}',
      json,
      400,
      "invalid_request",
      /foo/,
    ],
    [
      "an unknown provider",
      "POST",
      "/drills",
      '{"provider":"aa","fault":"503"}',
      json,
      400,
      "invalid_request",
      /"aa".*nearest: a/,
    ],
    [
      "an unknown model",
      "POST",
      "/drills",
      '{"provider":"a","model":"z","fault":"503"}',
      json,
      400,
      "invalid_request",
      /a\/z/,
    ],
    [
      "an unknown region",
      "POST",
      "/drills",
      '{"provider":"a","region":"eu","fault":"503"}',
      json,
      400,
      "invalid_request",
      /a@eu/,
    ],
    [
      "an unknown fault",
      "POST",
      "/drills",
      '{"provider":"a","fault":"boom"}',
      json,
      400,
      "invalid_request",
      /"boom".*headers-then-silence/,
    ],
    [
      "a fault with a number it does not take",
      "POST",
      "/drills",
      '{"provider":"a","fault":"503:5"}',
      json,
      400,
      "invalid_request",
      /503:5/,
    ],
    [
      "no duration",
      "POST",
      "/drills",
      '{"provider":"a","fault":"503","for":"soon"}',
      json,
      400,
      "invalid_request",
      /for: is not a duration/,
    ],
    [
      "too long a drill",
      "POST",
      "/drills",
      '{"provider":"a","fault":"503","for":"61m"}',
      json,
      400,
      "invalid_request",
      /from 1s to 1h/,
    ],
    [
      "an unknown environment",
      "POST",
      "/drills",
      '{"provider":"a","fault":"503","scope":{"environment":"x"}}',
      json,
      400,
      "invalid_request",
      /scope\.environment/,
    ],
    [
      "an unknown condition",
      "POST",
      "/drills",
      '{"provider":"a","fault":"503","scope":{"tag":"x"}}',
      json,
      400,
      "invalid_request",
      /tag/,
    ],
    ["an unknown drill", "DELETE", "/drills/drill-1", undefined, {}, 404, "not_found", /drill-1/],
    ["an unknown drill to look at", "GET", "/drills/a%2Fb", undefined, {}, 404, "not_found", /no drill/],
    ["an unknown path", "GET", "/nothing", undefined, {}, 404, "not_found", /\/control\/v1\/nothing/],
    ["an unknown target", "POST", "/deployments/isolate", '{"target":"bb"}', json, 404, "not_found", /nearest: .*b/],
    ["what is not isolated", "POST", "/deployments/restore", '{"target":"a"}', json, 404, "not_found", /isolated/],
  ] as const)("refuses %s with words", async (_, method, path, body, headers, status, code, words) => {
    const gateway = await setUp();
    const raw = body === undefined ? undefined : Buffer.from(body);
    const refused = refusal(await control(gateway, method, path, raw, headers));
    expect(refused).toMatchObject({ status, code });
    expect(refused.message).toMatch(words);
    expect((await control(gateway, "GET", "/drills")).json()).toEqual({ drills: [] });
  });

  test("takes no more drills than make sense", async () => {
    const gateway = await setUp();
    for (let count = 0; count < 20; count++) await startDrill(gateway, { provider: "a", fault: "503" });
    const refused = await control(gateway, "POST", "/drills", { provider: "a", fault: "503" });
    expect(refusal(refused)).toMatchObject({ status: 409, code: "conflict" });
  });

  test("tells no secret, and keeps its key in its file alone", async () => {
    const secrets = [canarySecret("sk-"), canarySecret("sk-")];
    const caller = canarySecret("caller");
    const { gateway } = await setScene(
      { a: answersChat("From A."), b: answersChat("From B.") },
      {
        keys: [`{ name: canary, value: ${caller} }`],
        providers: { a: { keys: [secrets[0] ?? ""] }, b: { keys: [secrets[1] ?? ""] } },
      },
    );
    const { id } = await startDrill(gateway, { provider: "a", fault: "401", include_production: true });
    await post(gateway, {}, { headers: { authorization: `Bearer ${caller}` } });
    const answers = [
      await control(gateway, "GET", "/deployments"),
      await control(gateway, "POST", "/deployments/isolate", { target: "b", reason: "a reason" }),
      await control(gateway, "GET", "/drills"),
      await control(gateway, "DELETE", `/drills/${id}`),
      await control(gateway, "GET", "/nothing"),
      await collect(`${gateway.url}/control/v1/drills`),
    ];
    const told = answers.map(({ headers, body }) => JSON.stringify(headers) + body.toString()).join("\n");
    expect(told).toContain("key-1");
    for (const secret of [...secrets, caller, controlKey(gateway.dataDir)]) expect(told).not.toContain(secret);
    const file = join(gateway.dataDir, "control.key");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const hits = await scanFor(controlKey(gateway.dataDir), gateway.dataDir);
    expect(hits.map((hit) => hit.file)).toEqual([file]);
  });
});

describe("isolation by hand", () => {
  test("holds for the next request, and until it is taken back", async () => {
    const { a, gateway } = await setScene({ a: answersChat("From A."), b: answersChat("From B.") });
    expect((await post(gateway)).headers["x-tuloy-provider"]).toBe("a");
    const order = { target: `a/${model}`, reason: "maintenance" };
    const answer = await control(gateway, "POST", "/deployments/isolate", order);
    expect(answer.json()).toEqual({ target: `a/${model}`, deployments: [`a/${model}`], warnings: [] });
    expect((await post(gateway)).headers["x-tuloy-provider"]).toBe("b");
    expect(a.requests).toHaveLength(1);
    const trace = await gateway.lastTrace(2);
    expect(trace.exclusions).toMatchObject([{ deployment: `a/${model}`, reason: "isolated" }]);
    expect((await control(gateway, "GET", "/deployments")).json()).toMatchObject({
      deployments: [
        { id: `a/${model}`, breaker: "isolated", why: expect.stringMatching(/maintenance/), isolated: order },
        { id: `b/${model}`, breaker: "closed", why: null, isolated: null, keys: [{ name: "key-1", obstacle: null }] },
      ],
    });
    await control(gateway, "POST", "/deployments/restore", { target: `a/${model}` });
    expect((await post(gateway)).headers["x-tuloy-provider"]).toBe("a");
    const kinds = await eventually(async () => {
      const alerts = await gateway.alerts();
      return alerts.length === 2 ? alerts.map(({ kind }) => kind) : null;
    }, "two alerts");
    expect([...kinds].sort()).toEqual(["deployment_isolated", "deployment_restored"]);
  });

  test("of a whole provider is taken back as a whole, and says what it leaves without", async () => {
    const gateway = await setUp();
    await control(gateway, "POST", "/deployments/isolate", { target: "a" });
    const last = await control(gateway, "POST", "/deployments/isolate", { target: "b" });
    expect((last.json() as { warnings: string[] }).warnings.join()).toContain(`${model} has no other deployment`);
    expect((await post(gateway)).status).toBe(503);
    const part = refusal(await control(gateway, "POST", "/deployments/restore", { target: `a/${model}` }));
    expect(part).toMatchObject({ status: 409, code: "conflict" });
    expect(part.message).toContain("restore a");
    await control(gateway, "POST", "/deployments/isolate", { target: `a/${model}` });
    const still = await control(gateway, "POST", "/deployments/restore", { target: "a" });
    expect(still.json()).toMatchObject({ deployments: [], warnings: [expect.stringMatching(/stays out of use/)] });
  });
});
