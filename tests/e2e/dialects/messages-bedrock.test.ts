import {
  answersConverse,
  answersMessage,
  converseEvents,
  converseStream,
  messageEvents,
  startUpstream,
  type ConverseBlock,
  type MessageBlock,
  type MessageShape,
  type ConverseShape,
} from "@tuloy/testkit";
import { describe, expect, onTestFinished, test } from "vitest";

import { bedrockServing, signed } from "../../bedrock-scene.ts";
import type { TestProvider } from "../../harness.ts";
import { anthropicAt, hearEvents, hearMessage, hearStreamed, sentTo } from "../../messages-scene.ts";
import { setScene } from "../../scene.ts";

const claude = "claude-haiku-4-5";
const price = "price: { input: 1, output: 2 }";

/** The same model at a server of Anthropic's dialect, and at Bedrock. */
const atAnthropics: Omit<TestProvider, "url"> = {
  kind: "anthropic-compatible",
  model: null,
  models: [`${claude}: { id: ${claude}-20251001, ${price} }`],
};
const atBedrock: Omit<TestProvider, "url"> = {
  ...bedrockServing(),
  models: [`${claude}: { id: "anthropic.${claude}-20251001-v1:0", ${price} }`],
};
const both = { providers: { a: atAnthropics, aws: atBedrock } };

const text = "Go on then, as you were, until the very end of it.";
const tools = [{ name: "look", description: "Looks.", input_schema: { type: "object" as const, properties: {} } }];

interface Case {
  readonly what: string;
  readonly blocks: readonly MessageBlock[];
  readonly shape?: MessageShape;
  readonly content: readonly ConverseBlock[];
  readonly converse?: ConverseShape;
}

const cases: readonly Case[] = [
  { what: "plain text", blocks: [{ type: "text", text }], content: [{ text }] },
  {
    what: "usage with what the cache held and took",
    blocks: [{ type: "text", text }],
    shape: { usage: { input: 5, output: 7, read: 100, written: 20 } },
    content: [{ text }],
    converse: { usage: [5, 7, 100, 20] },
  },
  {
    what: "thinking with its signature, text and two calls",
    blocks: [
      { type: "thinking", thinking: "Let me see.", signature: "c2ln" },
      { type: "text", text: "I look." },
      { type: "tool_use", id: "toolu_a", name: "look", input: { at: "Manila" } },
      { type: "tool_use", id: "toolu_b", name: "look", input: {} },
    ],
    content: [
      { reasoningContent: { reasoningText: { text: "Let me see.", signature: "c2ln" } } },
      { text: "I look." },
      { toolUse: { toolUseId: "toolu_a", name: "look", input: { at: "Manila" } } },
      { toolUse: { toolUseId: "toolu_b", name: "look", input: {} } },
    ],
  },
  {
    what: "an answer that was cut by its limit",
    blocks: [{ type: "text", text: "Once upon" }],
    shape: { stopReason: "max_tokens" },
    content: [{ text: "Once upon" }],
    converse: { stopReason: "max_tokens" },
  },
  {
    what: "an answer that a stop sequence ended",
    blocks: [{ type: "text", text: "Once upon" }],
    shape: { stopReason: "stop_sequence", stopSequence: "END" },
    content: [{ text: "Once upon" }],
    converse: { stopReason: "stop_sequence", fields: { stop_sequence: "END" } },
  },
];

/** What of a message matters to whoever asked: not its id, nor how a provider calls the model or its own service. */
function gist(message: Awaited<ReturnType<typeof hearMessage>>): unknown {
  const { content, stop_reason: reason, stop_sequence: sequence, usage } = message;
  const { input_tokens: input, output_tokens: output, cache_read_input_tokens: read } = usage;
  return {
    content: content.map((block) => (block.type === "text" ? { type: block.type, text: block.text } : block)),
    reason,
    sequence,
    usage: [input, output, read ?? 0, usage.cache_creation_input_tokens ?? 0],
  };
}

describe("what Anthropic's SDK hears from Bedrock is what it hears from Anthropic", () => {
  test.each(cases)("$what", async ({ blocks, shape, content, converse }) => {
    const anthropic = await startUpstream(answersMessage(blocks, shape));
    onTestFinished(() => anthropic.close());
    const { gateway } = await setScene(
      { aws: signed(answersConverse(content, converse)) },
      { providers: { aws: atBedrock } },
    );
    const [direct, through] = [anthropicAt(anthropic.url), anthropicAt(gateway.url)];
    const body = { model: claude, tools, stop_sequences: ["END"] };
    expect(gist(await hearMessage(through, body))).toEqual(gist(await hearMessage(direct, body)));
    expect(gist(await hearStreamed(through, body))).toEqual(gist(await hearStreamed(direct, body)));
  });
});

describe("a stream that breaks in the middle", () => {
  const pieces = text.match(/\s*\S+/g) ?? [];
  const had = pieces.slice(0, 3).join("");
  const rest = pieces.slice(3).join("");

  test("at Anthropic is finished by Bedrock, and is one message to the SDK", async () => {
    const begun = messageEvents([{ type: "text", text }]).slice(0, 6);
    const { aws, gateway } = await setScene(
      {
        a: (reply) => begun.reduce((said, event) => said.chunk(event), reply.eventStream()).reset(),
        aws: signed(answersConverse(rest, { usage: [20, 9] })),
      },
      both,
    );
    const heard = await hearEvents(anthropicAt(gateway.url), { model: claude });
    expect(heard).toMatchObject({ text, error: null });
    const types = heard.events.map(({ type }) => type);
    for (const once of ["message_start", "content_block_start", "content_block_stop", "message_delta", "message_stop"])
      expect(types.filter((type) => type === once)).toHaveLength(1);
    const asked = sentTo(aws.requests[0]).messages as { role: string; content: { text: string }[] }[];
    const prefix = asked.at(-1);
    expect(prefix?.role).toBe("assistant");
    expect(text.startsWith(prefix?.content[0]?.text ?? "?")).toBe(true);
    expect((await gateway.lastTrace()).attempts).toMatchObject([
      { provider: "a" },
      { provider: "aws", kind: "continuation" },
    ]);
  });

  test("at Bedrock is finished by Anthropic", async () => {
    const { gateway } = await setScene(
      {
        aws: (reply) =>
          converseEvents([{ text }])
            .slice(0, 4)
            .reduce((said, event) => said.chunk(event), converseStream(reply))
            .reset(),
        a: answersMessage([{ type: "text", text: rest }]),
      },
      { providers: { aws: atBedrock, a: atAnthropics } },
    );
    const heard = await hearEvents(anthropicAt(gateway.url), { model: claude });
    expect(heard).toMatchObject({ text: had + rest, error: null });
    expect(heard.events.at(-1)?.type).toBe("message_stop");
  });
});

describe("a conversation with tools and thinking", () => {
  const thinking = { type: "enabled" as const, budget_tokens: 2000 };
  const asked = { model: claude, max_tokens: 4000, tools, thinking };
  const user = { role: "user" as const, content: "Where is it?" };

  test("that began at Anthropic goes on at Bedrock, signature and all", async () => {
    const blocks: MessageBlock[] = [
      { type: "thinking", thinking: "I look.", signature: "c2lnbmVk" },
      { type: "tool_use", id: "toolu_a", name: "look", input: { at: "it" } },
    ];
    const busy = { error: { type: "overloaded_error", message: "Overloaded" }, type: "error" };
    const { aws, gateway } = await setScene(
      { a: [answersMessage(blocks), (reply) => reply.json(529, busy)], aws: signed(answersConverse("There.")) },
      both,
    );
    const client = anthropicAt(gateway.url);
    const first = await hearMessage(client, { ...asked, messages: [user] });
    const result = { type: "tool_result" as const, tool_use_id: "toolu_a", content: "here" };
    const second = await hearMessage(client, {
      ...asked,
      messages: [user, { role: "assistant", content: first.content }, { role: "user", content: [result] }],
    });
    expect(second.content).toMatchObject([{ type: "text", text: "There." }]);
    expect(aws.requests[0]?.json()).toMatchObject({
      messages: [
        { role: "user", content: [{ text: "Where is it?" }] },
        {
          role: "assistant",
          content: [
            { reasoningContent: { reasoningText: { text: "I look.", signature: "c2lnbmVk" } } },
            { toolUse: { toolUseId: "toolu_a", name: "look", input: { at: "it" } } },
          ],
        },
        { role: "user", content: [{ toolResult: { toolUseId: "toolu_a", content: [{ text: "here" }] } }] },
      ],
      additionalModelRequestFields: { thinking },
    });
  });

  test("that began at Bedrock goes on at Anthropic", async () => {
    const content: ConverseBlock[] = [
      { reasoningContent: { reasoningText: { text: "I look.", signature: "c2lnbmVk" } } },
      { toolUse: { toolUseId: "tooluse_a-1", name: "look", input: { at: "it" } } },
    ];
    const { a, gateway } = await setScene(
      {
        aws: [signed(answersConverse(content)), (reply) => reply.json(503, { message: "busy" })],
        a: answersMessage("There."),
      },
      { providers: { aws: atBedrock, a: atAnthropics } },
    );
    const client = anthropicAt(gateway.url);
    const first = await hearStreamed(client, { ...asked, messages: [user] });
    const result = { type: "tool_result" as const, tool_use_id: "tooluse_a-1", content: "here" };
    await hearMessage(client, {
      ...asked,
      messages: [user, { role: "assistant", content: first.content }, { role: "user", content: [result] }],
    });
    expect(a.requests[0]?.json()).toMatchObject({
      messages: [
        { role: "user" },
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "I look.", signature: "c2lnbmVk" },
            { type: "tool_use", id: "tooluse_a-1", name: "look", input: { at: "it" } },
          ],
        },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "tooluse_a-1" }] },
      ],
    });
  });
});
