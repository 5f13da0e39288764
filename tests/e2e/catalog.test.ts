import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { answersChat, answersError, startUpstream } from "@tuloy/testkit";
import type { Script } from "@tuloy/testkit";
import OpenAI from "openai";
import { expect, onTestFinished, test } from "vitest";

import { GatewayProcess, run, scratchDirectory } from "../command.ts";
import { apiKey } from "../harness.ts";

async function upstream(script: Script | readonly Script[]) {
  const started = await startUpstream(script);
  onTestFinished(() => started.close());
  return started;
}

/** What models.dev would say after OpenAI has brought out a model. */
const news = {
  models: {},
  providers: {
    openai: {
      name: "OpenAI",
      models: {
        "gpt-9": {
          name: "GPT-9",
          tool_call: true,
          modalities: { input: ["text"], output: ["text"] },
          limit: { context: 500_000, output: 100_000 },
          cost: { input: 100, output: 1000 },
        },
      },
    },
  },
};

test("a model that a sync brought is served, fails over to a twin under its own id there, and costs what the sync says", async () => {
  const a = await upstream([answersError(503, null, "Busy."), answersChat("From A.")]);
  const b = await upstream(answersChat("From B."));
  const directory = scratchDirectory();
  writeFileSync(join(directory, "news.json"), JSON.stringify(news));
  writeFileSync(
    join(directory, "tuloy.yaml"),
    `keys: [{ name: app, value: ${apiKey} }]
providers:
  openai: { kind: openai, base_url: ${a.url}, keys: [{ value: key-of-a }] }
  coarse: { kind: openai-compatible, base_url: ${b.url}, models: { gpt-9-fp8: } }
  rack: { kind: openai-compatible, base_url: ${b.url}, models: { OpenAI/GPT_9: } }
`,
  );
  const before = await run(["models", "gpt-9"], { directory });
  expect([before.code, before.stderr]).toEqual([1, expect.stringContaining("Nothing is known of a model gpt-9.")]);

  const synced = await run(["catalog", "sync", "--from", "news.json", "--yes", "--allow-removals"], { directory });
  expect([synced.code, synced.stdout]).toEqual([0, expect.stringContaining("+ openai/gpt-9")]);
  const plan = await run(["plan", "gpt-9", "--json"], { directory });
  expect(JSON.parse(plan.stdout)).toMatchObject({
    candidates: [
      { deployment: "openai/gpt-9", price: { input: 100, output: 1000 }, context: 500_000 },
      { deployment: "rack/gpt-9", upstream_model: "OpenAI/GPT_9", context: 500_000 },
    ],
    exclusions: [{ deployment: "coarse/gpt-9", detail: expect.stringContaining("fp8") }],
  });

  const url = await new GatewayProcess(["start", "--port", "0"], { directory }).listening();
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey });
  const ask = (model: string) =>
    client.chat.completions.create({ model, messages: [{ role: "user", content: "Hi" }] }).withResponse();
  const moved = await ask("openai/gpt-9");
  expect(moved.data.choices[0]?.message.content).toBe("From B.");
  expect(moved.response.headers.get("x-tuloy-failover")).toBe("overloaded");
  expect(b.requests.map((request) => request.json())).toMatchObject([{ model: "OpenAI/GPT_9" }]);
  const { data, response } = await ask("gpt-9");
  expect(data.choices[0]?.message.content).toBe("From A.");
  // Five tokens in and seven out.
  expect(Number(response.headers.get("x-tuloy-cost-usd"))).toBeCloseTo((5 * 100 + 7 * 1000) / 1_000_000, 10);
});
