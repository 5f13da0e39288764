import Anthropic from "@anthropic-ai/sdk";
import { answersChat, answersMessage, answersResponse } from "@tuloy/testkit";
import OpenAI from "openai";
import { describe, expect, test } from "vitest";

import { apiKey, model } from "../harness.ts";
import { question as asked, speaksResponses } from "../responses-scene.ts";
import { question, setScene } from "../scene.ts";

const others = "another-key-of-sixteen-characters";
/** A second workspace; the first is that of every test, `default`. */
const twoWorkspaces = [`{ name: others, value: ${others}, workspace: others }`];

const withFile = {
  model,
  messages: [{ role: "user" as const, content: [{ type: "file" as const, file: { file_id: "file-of-somebody" } }] }],
};

async function refusal(answer: Promise<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> {
  const error: unknown = await answer.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof OpenAI.APIError)) throw new Error(`no API error: ${String(error)}`);
  return error;
}

describe("an id of what is stored in a provider's account", () => {
  test("is forwarded while one workspace alone can reach the account, from all its environments", async () => {
    const keys = [`{ name: staging, value: ${others}, environment: staging }`];
    const { a, gateway } = await setScene({ a: answersChat("read") }, { keys });
    for (const key of [apiKey, others]) await gateway.client({ apiKey: key }).chat.completions.create(withFile);
    expect(a.requests).toHaveLength(2);
    expect(a.requests[0]?.json()).toMatchObject({ messages: withFile.messages });
  });

  test("goes nowhere where several workspaces share the account, and the error says why and what to configure", async () => {
    const { a, gateway } = await setScene({ a: answersChat("read") }, { keys: twoWorkspaces });
    for (const key of [apiKey, others]) {
      const error = await refusal(gateway.client({ apiKey: key }).chat.completions.create(withFile));
      expect([error.status, error.code]).toEqual([400, "no_deployment_allowed"]);
      expect(error.message).toContain(
        '"messages[0].content[0].file.file_id" names a file that is stored in the account at a',
      );
      expect(error.message).toContain("providers.a.account_ids");
      expect(error.message).not.toContain("file-of-somebody");
    }
    expect(a.requests).toHaveLength(0);
    expect((await gateway.lastTrace(2)).exclusions).toMatchObject([{ deployment: `a/${model}`, reason: "capability" }]);
    // Everything else goes on.
    await gateway.client({ apiKey: others }).chat.completions.create(question);
    expect(a.requests).toHaveLength(1);
  });

  test("is forwarded to shared accounts where the operator says so", async () => {
    const { a, gateway } = await setScene(
      { a: answersChat("read") },
      { keys: twoWorkspaces, providers: { a: { facts: "account_ids: forward" } } },
    );
    await gateway.client({ apiKey: others }).chat.completions.create(withFile);
    expect(a.requests).toHaveLength(1);
  });

  test("goes to the account of one's own, past one that is shared", async () => {
    const { a, b, gateway } = await setScene(
      { a: answersChat("never"), b: answersChat("read") },
      {
        keys: twoWorkspaces,
        providers: {
          b: {
            keys: [
              { value: "sk-of-the-default-workspace", more: "workspaces: [default]" },
              { value: "sk-of-the-others-workspace", more: "workspaces: [others]" },
            ],
          },
        },
      },
    );
    await gateway.client({ apiKey: others }).chat.completions.create(withFile);
    expect([a.requests.length, b.requests.length]).toEqual([0, 1]);
    expect(b.requests[0]?.headers.authorization).toBe("Bearer sk-of-the-others-workspace");
  });

  test("is refused in the Responses API, a conversation that was made elsewhere too; one's own response is not", async () => {
    const { a, gateway } = await setScene(
      { a: answersResponse([{ text: "Hi" }], { id: "resp_a" }) },
      { keys: twoWorkspaces, providers: { a: speaksResponses } },
    );
    const client = gateway.client();
    const search: OpenAI.Responses.Tool[] = [{ type: "file_search", vector_store_ids: ["vs_1"] }];
    for (const [more, param] of [
      [{ tools: search }, "tools[0].vector_store_ids"],
      [{ prompt: { id: "pmpt_1" } }, "prompt.id"],
      [{ conversation: "conv_1" }, "conversation"],
    ] as const) {
      const error = await refusal(client.responses.create({ ...asked, ...more }));
      expect(error.status).toBe(400);
      expect(error.message).toContain(`"${param}" names`);
    }
    expect(a.requests).toHaveLength(0);
    await client.responses.create(asked);
    await client.responses.create({ ...asked, previous_response_id: "resp_a" });
    expect(a.requests).toHaveLength(2);
  });

  test("is refused in Anthropic's API, streams too", async () => {
    const { a, gateway } = await setScene(
      { a: answersMessage([{ type: "text", text: "read" }]) },
      { keys: twoWorkspaces, providers: { a: { kind: "anthropic-compatible" } } },
    );
    const client = new Anthropic({ baseURL: gateway.url, apiKey: others, maxRetries: 0 });
    const stream = client.messages.stream({
      model,
      max_tokens: 10,
      messages: [
        { role: "user", content: [{ type: "document", source: { type: "file", file_id: "file_1" } as never }] },
      ],
    });
    const error: unknown = await stream.finalMessage().catch((thrown: unknown) => thrown);
    if (!(error instanceof Anthropic.APIError)) throw new Error(`no API error: ${String(error)}`);
    expect(error.status).toBe(400);
    expect(error.message).toContain("messages[0].content[0].source.file_id");
    expect(a.requests).toHaveLength(0);
  });
});
