import { LLMock } from "@copilotkit/aimock";
import { expect, onTestFinished, test } from "vitest";

import { model, startTuloy } from "../../harness.ts";
import { hearResponse, question, speaksResponses } from "../../responses-scene.ts";

/** A provider that somebody else wrote: what it sends was not made to fit. */
async function setMock(): Promise<{ mock: LLMock; gateway: Awaited<ReturnType<typeof startTuloy>> }> {
  const mock = await LLMock.create({ port: 0, chunkSize: 4 });
  const gateway = await startTuloy({ providers: { a: { url: mock.url, ...speaksResponses } } });
  onTestFinished(async () => {
    await gateway.close();
    await mock.stop();
  });
  return { mock, gateway };
}

const words = "An answer of some length, in another hand.";

test("an independent mock's responses are understood, whole and streamed, and can be gone on with", async () => {
  const { mock, gateway } = await setMock();
  mock.onMessage("something", { content: words, usage: { prompt_tokens: 12, completion_tokens: 9, total_tokens: 21 } });
  const client = gateway.client();
  const whole = await client.responses.create(question);
  const { final, error } = await hearResponse(client);
  expect([whole.output_text, final?.output_text, error]).toEqual([words, words, null]);
  const next = await client.responses.create({ ...question, previous_response_id: whole.id });
  expect(next.output_text).toBe(words);
  expect((await gateway.lastTrace(3)).provider).toBe("a");
});

test("its tool calls, too, and both lanes say the same of them", async () => {
  const { mock, gateway } = await setMock();
  mock.onMessage("something", { toolCalls: [{ name: "weather", arguments: '{"at":"Manila"}' }] });
  const { final } = await hearResponse(gateway.client());
  if (final === null) throw new Error("the stream had no end");
  expect(final.output).toMatchObject([{ type: "function_call", name: "weather", arguments: '{"at":"Manila"}' }]);
  // A chat client is translated to it.
  const chat = await gateway.client().chat.completions.create({
    model,
    messages: [{ role: "user", content: "Say something." }],
  });
  expect(chat.choices[0]).toMatchObject({
    finish_reason: "tool_calls",
    message: { tool_calls: [{ function: { name: "weather", arguments: '{"at":"Manila"}' } }] },
  });
});
