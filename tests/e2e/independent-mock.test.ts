import { LLMock } from "@copilotkit/aimock";
import OpenAI from "openai";
import { expect, onTestFinished, test } from "vitest";

import { startTuloy } from "../harness.ts";
import type { TestGateway } from "../harness.ts";
import { hearStream, question } from "../scene.ts";

/** Providers that somebody else wrote: what they send, and how they fail, was not made to fit. */
async function setMockScene(): Promise<{ a: LLMock; b: LLMock; gateway: TestGateway }> {
  const [a, b] = await Promise.all([
    LLMock.create({ port: 0, chunkSize: 4 }),
    LLMock.create({ port: 0, chunkSize: 4 }),
  ]);
  const gateway = await startTuloy({ providers: { a: { url: a.url }, b: { url: b.url } } });
  onTestFinished(async () => {
    await gateway.close();
    await Promise.all([a.stop(), b.stop()]);
  });
  return { a, b, gateway };
}

const words = "An answer of some length, from the second.";

test("an independent mock's stream and JSON are understood, and its usage counted", async () => {
  const { a, b, gateway } = await setMockScene();
  a.onMessage("something", { content: words, usage: { prompt_tokens: 12, completion_tokens: 9, total_tokens: 21 } });
  const heard = await hearStream(gateway.client());
  expect(heard).toMatchObject({ text: words, error: null });
  expect(heard.chunks.every(({ usage }) => !usage)).toBe(true);
  const trace = await gateway.trace(heard.headers?.get("x-tuloy-trace-id") ?? null);
  expect(trace).toMatchObject({ provider: "a", usage: { input_tokens: 12, output_tokens: 9, source: "provider" } });
  const whole = await gateway.client().chat.completions.create(question);
  expect(whole.choices[0]?.message.content).toBe(words);
  expect([a.getRequests().length, b.getRequests().length]).toEqual([2, 0]);
});

test.each([
  ["drops every request", { dropRate: 1 }, "server_error"],
  ["limits the rate", { rateLimitRate: 1 }, "rate_limited"],
  ["sends garbled JSON", { malformedRate: 1 }, "garbled"],
  ["disconnects", { disconnectRate: 1 }, "reset"],
] as const)("a mock that %s is replaced by the next, streaming or not", async (_, chaos, failure) => {
  const { a, b, gateway } = await setMockScene();
  a.onMessage("something", { content: "never" });
  a.setChaos(chaos);
  b.onMessage("something", { content: words });
  const heard = await hearStream(gateway.client());
  expect(heard).toMatchObject({ text: words, error: null });
  expect(heard.headers?.get("x-tuloy-failover")).toBe(failure);
  const whole = await gateway.client().chat.completions.create(question);
  expect(whole.choices[0]?.message.content).toBe(words);
  expect(b.getRequests()).toHaveLength(2);
});

test("a mock's stream that is cut after some chunks is completed by the next mock's, which says the same", async () => {
  const { a, b, gateway } = await setMockScene();
  a.onMessage("something", { content: words }, { truncateAfterChunks: 4, latency: 5 });
  b.onMessage("something", { content: words });
  const heard = await hearStream(gateway.client());
  expect(heard).toMatchObject({ text: words, error: null });
  expect(new Set(heard.chunks.map(({ id }) => id)).size).toBe(1);
  expect(b.getRequests().length).toBeGreaterThan(0);
});

test("a mock's stream that is cut makes the SDK raise when the next mock says something else", async () => {
  const { a, b, gateway } = await setMockScene();
  a.onMessage("something", { content: words }, { truncateAfterChunks: 4, latency: 5 });
  b.onMessage("something", { content: "never" });
  const heard = await hearStream(gateway.client());
  expect(heard.error).toBeInstanceOf(OpenAI.APIError);
  expect(heard.error).toMatchObject({ code: "stream_broken" });
  expect(heard.text).not.toBe("");
  expect(words.startsWith(heard.text)).toBe(true);
});

test("a mock's stream that is cut within a tool call is completed when the next mock makes the same call", async () => {
  const { a, b, gateway } = await setMockScene();
  const call = { name: "transfer", arguments: JSON.stringify({ amount: 100, to: "somebody with a long name" }) };
  a.onMessage("something", { toolCalls: [call] }, { truncateAfterChunks: 5, latency: 5 });
  b.onMessage("something", { toolCalls: [call] });
  const tools: OpenAI.ChatCompletionTool[] = [{ type: "function", function: { name: "transfer" } }];
  const message = await gateway
    .client()
    .chat.completions.stream({ ...question, tools })
    .finalMessage();
  expect(message.tool_calls).toMatchObject([{ type: "function", function: call }]);
  // A call is never continued: the mock was asked once, for the whole answer.
  expect(b.getRequests()).toHaveLength(1);
  expect((await gateway.lastTrace()).attempts.map(({ kind }) => kind)).toEqual(["first", "replay"]);
});

test("a mock's tool call reaches the client whole from the next mock", async () => {
  const { a, b, gateway } = await setMockScene();
  a.nextRequestError(503, { message: "overloaded", type: "server_error" });
  const call = { name: "transfer", arguments: '{"amount":100}' };
  b.onMessage("something", { toolCalls: [call] });
  const message = await gateway.client().chat.completions.stream(question).finalMessage();
  expect(message.tool_calls).toMatchObject([{ type: "function", function: call }]);
});
