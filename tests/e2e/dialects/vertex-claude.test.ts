import { answersAnthropicError, answersMessage } from "@tuloy/testkit";
import type { Script } from "@tuloy/testkit";
import { describe, expect, test } from "vitest";

import { vertexAt } from "../../gemini-scene.ts";
import { model } from "../../harness.ts";
import { anthropicAt, asked, claude, hearMessage, hearStreamed, sentTo } from "../../messages-scene.ts";
import { hearStream, setScene } from "../../scene.ts";

const id = "claude-sonnet-4-5@20250929";
const path = "/v1/projects/my-project/locations/europe-west4/publishers/anthropic/models/claude-sonnet-4-5%4020250929";
const tokens: Script = (reply) => reply.json(200, { access_token: "ya29.token", expires_in: 3600 });
const answers = answersMessage([{ type: "text", text: "Good day." }], { usage: { input: 9, output: 4 } });

async function vertexServing(): Promise<ReturnType<typeof vertexAt>> {
  const { t } = await setScene({ t: tokens });
  return {
    ...vertexAt(`${t.url}/token`),
    model: null,
    models: [`${model}: { id: "${id}", price: { input: 1, output: 2 } }`],
  };
}

describe("Claude on Vertex AI", () => {
  test("takes a message as Anthropic does, its model in the path and its version in the body", async () => {
    const { a, gateway } = await setScene({ a: answers }, { providers: { a: await vertexServing() } });
    const client = anthropicAt(gateway.url);
    expect(await hearMessage(client)).toMatchObject({ content: [{ type: "text", text: "Good day." }] });
    expect(await hearStreamed(client)).toMatchObject({ content: [{ type: "text", text: "Good day." }] });
    expect(a.requests.map((request) => request.path)).toEqual([`${path}:rawPredict`, `${path}:streamRawPredict`]);
    const { model: _, ...rest } = asked;
    expect(sentTo(a.requests[0])).toEqual({ anthropic_version: "vertex-2023-10-16", ...rest });
    expect(sentTo(a.requests[1])).toEqual({ anthropic_version: "vertex-2023-10-16", ...rest, stream: true });
    for (const { headers } of a.requests) {
      expect(headers["authorization"]).toBe("Bearer ya29.token");
      expect(headers).not.toHaveProperty("x-api-key");
    }
  });

  test("stands in for Claude at Anthropic, for Anthropic's clients and OpenAI's", async () => {
    const busy = answersAnthropicError(529, "overloaded_error", "Overloaded");
    const { b, gateway } = await setScene(
      { a: busy, b: answers },
      { providers: { a: claude, b: await vertexServing() } },
    );
    expect(await hearStreamed(anthropicAt(gateway.url))).toMatchObject({ content: [{ text: "Good day." }] });
    expect(await hearStream(gateway.client())).toMatchObject({ text: "Good day.", error: null });
    expect(b.requests.map((request) => request.path)).toEqual([`${path}:streamRawPredict`, `${path}:streamRawPredict`]);
    expect(sentTo(b.requests[1])).not.toHaveProperty("model");
    expect((await gateway.lastTrace(2)).attempts.map(({ failure }) => failure)).toEqual(["overloaded", null]);
  });
});
