import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  ThrottlingException,
  type ConverseStreamOutput,
} from "@aws-sdk/client-bedrock-runtime";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import {
  answersAwsError,
  answersConverse,
  converseEvents,
  converseException,
  converseStream,
  signatureFault,
  startUpstream,
  type ConverseBlock,
  type Script,
  type ScriptedUpstream,
} from "@tuloy/testkit";
import { expect, onTestFinished, test } from "vitest";

import { signing, sonnet45 } from "../../bedrock-scene.ts";

/**
 * The mock that the other tests take for Bedrock, against AWS's own client: what it sends has to be what that client reads, and
 * what that client signs what it takes for signed.
 */
async function mock(script: Script): Promise<{ client: BedrockRuntimeClient; upstream: ScriptedUpstream }> {
  const upstream = await startUpstream(script);
  const { accessKeyId, secretAccessKey, region } = signing;
  const client = new BedrockRuntimeClient({
    endpoint: upstream.url,
    region,
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: 1,
    // The gateway and the mock speak HTTP/1.1 only.
    requestHandler: new NodeHttpHandler(),
  });
  onTestFinished(async () => {
    client.destroy();
    await upstream.close();
  });
  return { client, upstream };
}

const ask = { modelId: sonnet45, messages: [{ role: "user" as const, content: [{ text: "Where?" }] }] };

const content: ConverseBlock[] = [
  { reasoningContent: { reasoningText: { text: "Let me see.", signature: "c2ln" } } },
  { text: "I look it up." },
  { toolUse: { toolUseId: "tooluse_1", name: "look", input: { at: "Manila" } } },
  { toolUse: { toolUseId: "tooluse_2", name: "now", input: {} } },
];

const usage = { inputTokens: 5, outputTokens: 7, totalTokens: 42, cacheReadInputTokens: 20, cacheWriteInputTokens: 10 };

test("an answer is one to AWS's client, and its signature holds", async () => {
  const { client, upstream } = await mock(answersConverse(content, { usage: [5, 7, 20, 10], fields: { a: 1 } }));
  const answer = await client.send(new ConverseCommand(ask));
  expect(answer.output?.message).toEqual({ role: "assistant", content });
  expect(answer).toMatchObject({ stopReason: "tool_use", usage, additionalModelResponseFields: { a: 1 } });
  const [request] = upstream.requests;
  expect(request?.path).toBe("/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse");
  expect(request && signatureFault(request, signing)).toBeNull();
  expect(request && signatureFault(request, { ...signing, secretAccessKey: "another" })).not.toBeNull();
});

test("a stream is one to AWS's client", async () => {
  const { client } = await mock(answersConverse(content, { usage: [5, 7, 20, 10] }));
  const { stream = [] } = await client.send(new ConverseStreamCommand(ask));
  const told = {
    text: "",
    thought: "",
    signature: "",
    calls: [] as [string, string][],
    stop: "",
    usage: {} as unknown,
  };
  for await (const event of stream as AsyncIterable<ConverseStreamOutput>) {
    told.text += event.contentBlockDelta?.delta?.text ?? "";
    told.thought += event.contentBlockDelta?.delta?.reasoningContent?.text ?? "";
    told.signature += event.contentBlockDelta?.delta?.reasoningContent?.signature ?? "";
    const start = event.contentBlockStart?.start?.toolUse;
    if (start) told.calls.push([start.name ?? "", ""]);
    const last = told.calls.at(-1);
    if (last) last[1] += event.contentBlockDelta?.delta?.toolUse?.input ?? "";
    told.stop += event.messageStop?.stopReason ?? "";
    told.usage = event.metadata?.usage ?? told.usage;
  }
  expect(told).toEqual({
    text: "I look it up.",
    thought: "Let me see.",
    signature: "c2ln",
    calls: [
      ["look", '{"at":"Manila"}'],
      ["now", ""],
    ],
    stop: "tool_use",
    usage,
  });
});

test("errors are those of AWS's client, before a stream and in it", async () => {
  const before = await mock(answersAwsError(429, "ThrottlingException", "Too many requests"));
  await expect(before.client.send(new ConverseCommand(ask))).rejects.toThrow(ThrottlingException);
  const within = await mock((reply) => {
    converseStream(reply).chunk(converseEvents([{ text: "a" }])[0] ?? "");
    return reply.chunk(converseException("throttlingException", "Too many tokens")).end();
  });
  const { stream = [] } = await within.client.send(new ConverseStreamCommand(ask));
  const read = async (): Promise<void> => {
    for await (const _event of stream) continue;
  };
  await expect(read()).rejects.toMatchObject({ name: "ThrottlingException", message: "Too many tokens" });
});
