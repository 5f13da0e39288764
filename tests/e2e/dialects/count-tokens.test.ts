import Anthropic from "@anthropic-ai/sdk";
import { answersAnthropicError, answersChat, answersMessage } from "@tuloy/testkit";
import type { Script } from "@tuloy/testkit";
import { expect, test } from "vitest";

import { anthropicAt, asked, claude, sentTo } from "../../messages-scene.ts";
import { breakerOf, post, setScene } from "../../scene.ts";

const { max_tokens: _limit, ...conversation } = asked;
const counts =
  (tokens: number): Script =>
  (reply) =>
    reply.json(200, { input_tokens: tokens });
const down = answersAnthropicError(529, "overloaded_error", "Overloaded");

test("a prompt is counted by a provider that does so, and by the next when that one fails", async () => {
  const { a, b, gateway } = await setScene(
    { a: [counts(11), down], b: counts(12) },
    { providers: { a: claude, b: claude } },
  );
  const client = anthropicAt(gateway.url);
  expect(await client.messages.countTokens(conversation)).toEqual({ input_tokens: 11 });
  expect(a.requests[0]).toMatchObject({ path: "/v1/messages/count_tokens" });
  expect(sentTo(a.requests[0])).toEqual({ ...conversation, model: "a-model-x" });
  const { data, response } = await client.beta.messages.countTokens(conversation).withResponse();
  expect([data.input_tokens, response.headers.get("x-tuloy-failover")]).toEqual([12, "overloaded"]);
  expect(b.requests[0]?.path).toBe("/v1/messages/count_tokens");
  const trace = await gateway.lastTrace(2);
  expect(trace).toMatchObject({ outcome: "succeeded", cost_usd: 0, usage: { input_tokens: 0, output_tokens: 0 } });
  expect(trace.notes).toEqual(["the prompt was counted, 12 tokens; nothing was generated"]);
});

test("what comes of counting says nothing of a deployment's health", async () => {
  const { a, gateway } = await setScene({ a: down }, { providers: { a: claude } });
  const client = anthropicAt(gateway.url);
  for (let count = 0; count < 6; count++)
    await expect(client.messages.countTokens(conversation)).rejects.toBeInstanceOf(Anthropic.APIError);
  expect(breakerOf(gateway, "a").view(performance.now())).toMatchObject({ consecutiveFailures: 0 });
  a.script(answersMessage("Hi."));
  expect((await client.messages.create(asked)).content).toHaveLength(1);
});

test("where no provider counts, it is counted here with the model's own tokenizer, and nothing is sent", async () => {
  const name = "gpt-4.1";
  const { a, gateway } = await setScene({ a: answersChat("x") }, { providers: { a: { model: null, also: [name] } } });
  const raw = await post(
    gateway,
    { ...conversation, model: name, stream: true },
    { path: "/v1/messages/count_tokens" },
  );
  expect(raw).toMatchObject({ status: 200, headers: { "x-tuloy-token-count": "counted" } });
  // Three words and a full stop, and the message's frame.
  expect(JSON.parse(raw.body.toString())).toEqual({ input_tokens: 6 });
  expect(a.requests).toHaveLength(0);
  expect((await gateway.lastTrace()).notes).toEqual([
    expect.stringContaining("counted with its model's tokenizer, 6 tokens"),
  ]);
});

test("and where no tokenizer is known it is estimated, and marked so", async () => {
  const { a, gateway } = await setScene({ a: answersChat("x") });
  const raw = await post(gateway, conversation, { path: "/v1/messages/count_tokens?beta=true" });
  expect(raw).toMatchObject({ status: 200, headers: { "x-tuloy-token-count": "estimated" } });
  const { input_tokens: tokens } = JSON.parse(raw.body.toString()) as { input_tokens: number };
  expect(tokens).toBeGreaterThan(5);
  expect(a.requests).toHaveLength(0);
});
