import { LLMock } from "@copilotkit/aimock";
import type Anthropic from "@anthropic-ai/sdk";
import { expect, onTestFinished, test } from "vitest";

import { startTuloy } from "../../harness.ts";
import type { TestGateway } from "../../harness.ts";
import { anthropicAt, claude, hearEvents, hearMessage, hearStreamed } from "../../messages-scene.ts";

/** Providers of Anthropic's dialect that somebody else wrote: what they send was not made to fit. */
async function setMockScene(): Promise<{ a: LLMock; b: LLMock; gateway: TestGateway; client: Anthropic }> {
  const [a, b] = await Promise.all([
    LLMock.create({ port: 0, chunkSize: 4 }),
    LLMock.create({ port: 0, chunkSize: 4 }),
  ]);
  const gateway = await startTuloy({ providers: { a: { url: a.url, ...claude }, b: { url: b.url, ...claude } } });
  onTestFinished(async () => {
    await gateway.close();
    await Promise.all([a.stop(), b.stop()]);
  });
  return { a, b, gateway, client: anthropicAt(gateway.url) };
}

const words = "An answer of some length, from the second.";

test("an independent mock's message and stream are understood", async () => {
  const { a, b, client } = await setMockScene();
  a.onMessage("something", { content: words });
  expect((await hearMessage(client)).content).toMatchObject([{ type: "text", text: words }]);
  expect((await hearStreamed(client)).content).toMatchObject([{ type: "text", text: words }]);
  expect([a.getRequests().length, b.getRequests().length]).toEqual([2, 0]);
});

test("its call of a tool is too, for OpenAI's clients as well", async () => {
  const { a, client, gateway } = await setMockScene();
  const call = { name: "transfer", arguments: '{"amount":100}' };
  a.onMessage("something", { toolCalls: [call] });
  expect(await hearStreamed(client)).toMatchObject({
    content: [{ type: "tool_use", name: "transfer", input: { amount: 100 } }],
    stop_reason: "tool_use",
  });
  const asked = { model: "model-x", messages: [{ role: "user" as const, content: "Say something." }] };
  const message = await gateway.client().chat.completions.stream(asked).finalMessage();
  expect(message.tool_calls).toMatchObject([{ type: "function", function: call }]);
});

test("its cut stream is completed by the next mock's, which says the same", async () => {
  const { a, b, client } = await setMockScene();
  a.onMessage("something", { content: words }, { truncateAfterChunks: 8, latency: 5 });
  b.onMessage("something", { content: words });
  const heard = await hearEvents(client);
  expect([heard.text, heard.error]).toEqual([words, null]);
  expect(heard.events.filter(({ type }) => type === "message_start")).toHaveLength(1);
  expect(b.getRequests().length).toBeGreaterThan(0);
});
