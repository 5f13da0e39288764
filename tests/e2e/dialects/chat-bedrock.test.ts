import {
  answersConverse,
  chatChunk,
  converseAnswer,
  converseEvents,
  sse,
  startUpstream,
  type ConverseBlock,
  type ConverseShape,
  type Script,
} from "@tuloy/testkit";
import OpenAI from "openai";
import { describe, expect, onTestFinished, test } from "vitest";

import { bedrockServing, signed, sonnet45 } from "../../bedrock-scene.ts";
import { question, setScene } from "../../scene.ts";

interface Message {
  readonly content: string | null;
  readonly reasoning_content?: string;
  readonly tool_calls?: readonly OpenAI.ChatCompletionMessageFunctionToolCall[];
}

interface Said {
  readonly message: Message;
  readonly finish: string;
  /** Input, output, and of the input what the cache held. */
  readonly usage: readonly [input: number, output: number, cached: number, written?: number];
}

/** OpenAI, saying the same. */
function answersAsOpenAI({ message, finish, usage: [input, output, cached, written] }: Said): Script {
  const usage = {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: {
      cached_tokens: cached,
      ...(written === undefined ? {} : { cache_write_tokens: written }),
    },
    completion_tokens_details: { reasoning_tokens: 0 },
  };
  return (reply, request) => {
    if (!(request.json() as { stream?: boolean }).stream) {
      const choice = { index: 0, message: { role: "assistant", refusal: null, ...message }, finish_reason: finish };
      return reply.json(200, { id: "a", object: "chat.completion", created: 1, model: "m", choices: [choice], usage });
    }
    reply.eventStream();
    const deltas: unknown[] = [{ role: "assistant", content: "" }];
    for (const piece of message.reasoning_content?.match(/\s*\S+/g) ?? []) deltas.push({ reasoning_content: piece });
    for (const content of message.content?.match(/\s*\S+/g) ?? []) deltas.push({ content });
    for (const [index, { id, function: called }] of (message.tool_calls ?? []).entries()) {
      deltas.push({ tool_calls: [{ index, id, type: "function", function: { name: called.name, arguments: "" } }] });
      for (const piece of called.arguments.match(/.{1,5}/gs) ?? [])
        deltas.push({ tool_calls: [{ index, function: { arguments: piece } }] });
    }
    for (const delta of deltas) reply.chunk(sse(chatChunk({ delta })));
    reply.chunk(sse(chatChunk({ delta: {}, finish_reason: finish })));
    reply.chunk(sse({ ...chatChunk({ delta: {} }), choices: [], usage }));
    return reply.chunk(sse("[DONE]")).end();
  };
}

/** All of an answer that matters to whoever asked. */
function gist(answer: OpenAI.ChatCompletion): Record<string, unknown> {
  const [choice] = answer.choices;
  const message: (OpenAI.ChatCompletionMessage & { reasoning_content?: string }) | undefined = choice?.message;
  const usage = answer.usage;
  return {
    role: message?.role,
    // The SDK gathers no text as null, and none was sent.
    content: message?.content || null,
    reasoning: message?.reasoning_content ?? null,
    calls: (message?.tool_calls ?? []).map((call) => ("function" in call ? [call.id, call.function] : call)),
    finish: choice?.finish_reason,
    usage: [usage?.prompt_tokens, usage?.completion_tokens, usage?.total_tokens, usage?.prompt_tokens_details],
  };
}

type Asked = Omit<OpenAI.ChatCompletionCreateParamsNonStreaming, "model" | "messages"> &
  Partial<Pick<OpenAI.ChatCompletionCreateParamsNonStreaming, "messages">>;

async function whole(client: OpenAI, asked: Asked): Promise<unknown> {
  return gist(await client.chat.completions.create({ ...question, ...asked }));
}

async function streamed(client: OpenAI, asked: Asked): Promise<unknown> {
  const stream = client.chat.completions.stream({
    ...question,
    ...asked,
    stream: true,
    stream_options: { include_usage: true },
  });
  let reasoning = "";
  // The SDK keeps only the last piece of what it does not know.
  stream.on("chunk", ({ choices: [choice] }) => {
    reasoning += (choice?.delta as { reasoning_content?: string } | undefined)?.reasoning_content ?? "";
  });
  return { ...gist(await stream.finalChatCompletion()), reasoning: reasoning === "" ? null : reasoning };
}

const look = (id: string, args: object): OpenAI.ChatCompletionMessageFunctionToolCall => ({
  id,
  type: "function",
  function: { name: "look", arguments: JSON.stringify(args) },
});
const tools: OpenAI.ChatCompletionTool[] = [
  {
    type: "function",
    function: {
      name: "look",
      description: "Looks.",
      parameters: { type: "object", properties: { at: { type: "string" } } },
    },
  },
];

interface Case {
  readonly what: string;
  readonly asked?: Asked;
  readonly content: readonly ConverseBlock[];
  readonly shape?: ConverseShape;
  readonly said: Said;
  /** Bedrock's id of the model. */
  readonly id?: string;
}

const plain: readonly [number, number, number] = [5, 7, 0];

const cases: readonly Case[] = [
  {
    what: "plain text",
    content: [{ text: "Go on then, 日本 🎉." }],
    said: { message: { content: "Go on then, 日本 🎉." }, finish: "stop", usage: plain },
  },
  {
    what: "usage with what the cache held and took",
    content: [{ text: "Yes." }],
    shape: { usage: [5, 7, 100, 20] },
    said: { message: { content: "Yes." }, finish: "stop", usage: [125, 7, 100, 20] },
  },
  {
    what: "an answer that was cut by its limit",
    asked: { max_tokens: 3 },
    content: [{ text: "Once upon" }],
    shape: { stopReason: "max_tokens" },
    said: { message: { content: "Once upon" }, finish: "length", usage: plain },
  },
  {
    what: "a call of a tool behind some text",
    asked: { tools },
    content: [{ text: "I look." }, { toolUse: { toolUseId: "tooluse_a", name: "look", input: { at: "Manila" } } }],
    said: {
      message: { content: "I look.", tool_calls: [look("tooluse_a", { at: "Manila" })] },
      finish: "tool_calls",
      usage: plain,
    },
  },
  {
    what: "two calls at once, one without arguments",
    asked: { tools },
    content: [
      { toolUse: { toolUseId: "tooluse_a", name: "look", input: { at: { deep: ["x", null, 1.5] } } } },
      { toolUse: { toolUseId: "tooluse_b", name: "look", input: {} } },
    ],
    said: {
      message: {
        content: null,
        tool_calls: [look("tooluse_a", { at: { deep: ["x", null, 1.5] } }), look("tooluse_b", {})],
      },
      finish: "tool_calls",
      usage: plain,
    },
  },
  {
    what: "reasoning that is shown",
    asked: { reasoning_effort: "low" },
    content: [{ reasoningContent: { reasoningText: { text: "Let me see.", signature: "c2ln" } } }, { text: "Yes." }],
    said: { message: { content: "Yes.", reasoning_content: "Let me see." }, finish: "stop", usage: plain },
  },
  {
    what: "an answer that a guardrail replaced",
    content: [{ text: "I may not say that." }],
    shape: { stopReason: "guardrail_intervened", trace: { guardrail: { actionReason: "blocked" } } },
    said: { message: { content: "I may not say that." }, finish: "content_filter", usage: plain },
  },
  {
    what: "JSON of a given shape, by Converse's own format",
    asked: { response_format: jsonSchema() },
    content: [{ text: '{"city":"Manila"}' }],
    said: { message: { content: '{"city":"Manila"}' }, finish: "stop", usage: plain },
  },
  {
    what: "JSON of a given shape, by a tool",
    id: "eu.anthropic.claude-sonnet-4-20250514-v1:0",
    asked: { response_format: jsonSchema() },
    content: [{ toolUse: { toolUseId: "tooluse_a", name: "tuloy_json_answer", input: { city: "Manila" } } }],
    said: { message: { content: '{"city":"Manila"}' }, finish: "stop", usage: plain },
  },
];

function jsonSchema(): OpenAI.ResponseFormatJSONSchema {
  const schema = {
    type: "object",
    properties: { city: { type: "string" } },
    required: ["city"],
    additionalProperties: false,
  };
  return { type: "json_schema", json_schema: { name: "place", schema, strict: true } };
}

describe("what the SDK hears from Bedrock is what it hears from OpenAI", () => {
  test.each(cases)("$what", async ({ asked = {}, content, shape, said, id }) => {
    const openai = await startUpstream(answersAsOpenAI(said));
    onTestFinished(() => openai.close());
    const direct = new OpenAI({ baseURL: `${openai.url}/v1`, apiKey: "x", maxRetries: 0 });
    const { aws, gateway } = await setScene(
      { aws: signed(answersConverse(content, shape)) },
      { providers: { aws: bedrockServing(id) } },
    );
    const through = gateway.client();
    expect(await whole(through, asked)).toEqual(await whole(direct, asked));
    expect(await streamed(through, asked)).toEqual(await streamed(direct, asked));
    const path = `/v1/model/${encodeURIComponent(id ?? sonnet45)}`;
    expect(aws.requests.map((request) => request.path)).toEqual([`${path}/converse`, `${path}/converse-stream`]);
    const trace = await gateway.lastTrace(2);
    const [input, output, cached] = said.usage;
    expect(trace).toMatchObject({
      outcome: "succeeded",
      usage: { input_tokens: input, output_tokens: output, cached_input_tokens: cached, source: "provider" },
    });
  });
});

describe("a stream of Bedrock", () => {
  const content: ConverseBlock[] = [
    { reasoningContent: { reasoningText: { text: "Let me see.", signature: "c2ln" } } },
    { text: "I look, 日本." },
    { toolUse: { toolUseId: "tooluse_a", name: "look", input: { at: "Manila" } } },
  ];
  const bytes = Buffer.concat(converseEvents(content));

  test("is the same however its bytes arrive", async () => {
    let size = bytes.length;
    const script: Script = (reply) => {
      reply.status(200).headers({ "content-type": "application/vnd.amazon.eventstream" });
      return reply.trickle(bytes, size).end();
    };
    const { gateway } = await setScene({ aws: script }, { providers: { aws: bedrockServing() } });
    const expected = await streamed(gateway.client(), { tools });
    expect(expected).toMatchObject({ content: "I look, 日本.", reasoning: "Let me see.", finish: "tool_calls" });
    for (size of [1, 7, 100, 1000]) expect(await streamed(gateway.client(), { tools })).toEqual(expected);
  });

  test("reaches the client as it comes, a piece for a piece", async () => {
    const gate = Promise.withResolvers<void>();
    const [start, first, ...rest] = converseEvents([{ text: "One two" }]);
    const script: Script = (reply) => {
      reply.status(200).headers({ "content-type": "application/vnd.amazon.eventstream" });
      reply.chunk(Buffer.concat([start ?? Buffer.alloc(0), first ?? Buffer.alloc(0)])).wait(gate.promise);
      for (const event of rest) reply.chunk(event);
      return reply.end();
    };
    const { gateway } = await setScene({ aws: script }, { providers: { aws: bedrockServing() } });
    const stream = await gateway.client().chat.completions.create({ ...question, stream: true });
    let text = "";
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? "";
      if (text === "One") gate.resolve();
    }
    expect(text).toBe("One two");
  });
});

describe("what Bedrock is asked", () => {
  async function sent(asked: Asked, id?: string): Promise<{ body: unknown; notes: readonly string[] }> {
    const { aws, gateway } = await setScene(
      { aws: signed((reply) => reply.json(200, converseAnswer([{ text: "Yes." }]))) },
      { providers: { aws: bedrockServing(id) } },
    );
    await gateway.client().chat.completions.create({ ...question, ...asked });
    const trace = await gateway.lastTrace();
    return { body: aws.requests[0]?.json(), notes: trace.notes };
  }

  test("has the conversation, its tools and its picture in Converse's words", async () => {
    const { body } = await sent({
      tools,
      tool_choice: "required",
      max_completion_tokens: 50,
      temperature: 0.2,
      stop: ["END"],
      messages: [
        { role: "system", content: "Be brief." },
        {
          role: "user",
          content: [
            { type: "text", text: "What is it?" },
            { type: "image_url", image_url: { url: "data:image/png;base64,aW1n" } },
          ],
        },
        { role: "assistant", content: null, tool_calls: [look("call_1", { at: "it" }), look("call_2", {})] },
        { role: "tool", tool_call_id: "call_1", content: "a cat" },
        { role: "tool", tool_call_id: "call_2", content: "a dog" },
        { role: "user", content: "So?" },
      ],
    });
    expect(body).toEqual({
      system: [{ text: "Be brief." }],
      messages: [
        {
          role: "user",
          content: [{ text: "What is it?" }, { image: { format: "png", source: { bytes: "aW1n" } } }],
        },
        {
          role: "assistant",
          content: [
            { toolUse: { toolUseId: "call_1", name: "look", input: { at: "it" } } },
            { toolUse: { toolUseId: "call_2", name: "look", input: {} } },
          ],
        },
        {
          role: "user",
          content: [
            { toolResult: { toolUseId: "call_1", content: [{ text: "a cat" }] } },
            { toolResult: { toolUseId: "call_2", content: [{ text: "a dog" }] } },
            { text: "So?" },
          ],
        },
      ],
      inferenceConfig: { maxTokens: 50, temperature: 0.2, stopSequences: ["END"] },
      toolConfig: {
        tools: [
          {
            toolSpec: {
              name: "look",
              description: "Looks.",
              inputSchema: { json: { type: "object", properties: { at: { type: "string" } } } },
            },
          },
        ],
        toolChoice: { any: {} },
      },
      additionalModelResponseFieldPaths: ["/stop_sequence"],
    });
  });

  test("leaves out what it has no words for, which is on the trace", async () => {
    const { body, notes } = await sent({ seed: 5, presence_penalty: 1, logit_bias: { "1": 2 } });
    expect(body).toEqual({ messages: [{ role: "user", content: [{ text: "Say something." }] }] });
    expect(notes).toEqual(
      expect.arrayContaining([expect.stringContaining("seed"), expect.stringContaining("logit_bias")]),
    );
    expect(new Set(notes).size).toBe(notes.length);
  });

  test("gives a thought back with its signature, so that tools and thinking go together", async () => {
    const content: ConverseBlock[] = [
      { reasoningContent: { reasoningText: { text: "I look.", signature: "c2ln" } } },
      { toolUse: { toolUseId: "tooluse_a", name: "look", input: { at: "it" } } },
    ];
    const { aws, gateway } = await setScene(
      { aws: [signed(answersConverse(content)), signed(answersConverse("A cat."))] },
      { providers: { aws: bedrockServing() } },
    );
    const client = gateway.client();
    const asked = { ...question, tools, reasoning_effort: "low" as const };
    const first = await client.chat.completions.create(asked);
    const message = first.choices[0]?.message;
    if (!message) throw new Error("no answer");
    await client.chat.completions.create({
      ...asked,
      messages: [...question.messages, message, { role: "tool", tool_call_id: "tooluse_a", content: "a cat" }],
    });
    expect(aws.requests[1]?.json()).toMatchObject({
      messages: [
        { role: "user" },
        { role: "assistant", content },
        { role: "user", content: [{ toolResult: { toolUseId: "tooluse_a" } }] },
      ],
      additionalModelRequestFields: { thinking: { type: "enabled", budget_tokens: 1024 } },
    });
  });
});
