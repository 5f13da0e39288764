import { createAnthropic } from "@ai-sdk/anthropic";
import { answersChat, answersMessage, chatChunk, messageEvents, sse } from "@tuloy/testkit";
import type { MessageBlock, Reply, Script } from "@tuloy/testkit";
import { jsonSchema, streamText, tool } from "ai";
import { describe, expect, test } from "vitest";

import { bedrockServing } from "../../bedrock-scene.ts";
import { apiKey } from "../../harness.ts";
import type { TestProvider } from "../../harness.ts";
import {
  anthropicAt,
  asked,
  claude,
  hearEvents,
  hearMessage,
  hearStreamed,
  model,
  sentTo,
} from "../../messages-scene.ts";
import type { HeardEvents } from "../../messages-scene.ts";
import { post, setScene } from "../../scene.ts";

/** A chat stream of calls, whose pieces come in any order. */
const callPieces =
  (...pieces: readonly (readonly [index: number, json: string, name?: string])[]): Script =>
  (reply) => {
    reply.eventStream();
    for (const [index, json, name] of pieces) {
      const begun = name === undefined ? {} : { id: `call_${name}`, type: "function" };
      const made = { name, arguments: json };
      reply.chunk(sse(chatChunk({ delta: { tool_calls: [{ index, ...begun, function: made }] } })));
    }
    return reply
      .chunk(sse(chatChunk({ delta: {}, finish_reason: "tool_calls" })))
      .chunk(sse("[DONE]"))
      .end();
  };

const tools = ["f", "g", "h"].map((name) => ({ name, input_schema: { type: "object" as const } }));

/** Blocks are opened and closed once each, one after the other, and every piece is in the open one. */
function expectWellFormed({ events, error }: HeardEvents): void {
  expect(error).toBeNull();
  const wrong: unknown[] = [];
  let open: number | null = null;
  let next = 0;
  for (const event of events) {
    if (event.type === "content_block_start") {
      if (open !== null || event.index !== next++) wrong.push(event);
      open = event.index;
    } else if (event.type === "content_block_delta" || event.type === "content_block_stop") {
      if (event.index !== open) wrong.push(event);
      if (event.type === "content_block_stop") open = null;
    }
  }
  expect([wrong, open]).toEqual([[], null]);
}

describe("calls whose pieces come in turns", () => {
  const inTurns = callPieces(
    [0, "", "f"],
    [1, "", "g"],
    [0, '{"a":'],
    [1, '{"b":'],
    [0, "1}"],
    [1, "2}"],
    [2, "{}", "h"],
  );

  test("are blocks one after the other, each whole", async () => {
    const { gateway } = await setScene({ a: inTurns });
    const client = anthropicAt(gateway.url);
    expectWellFormed(await hearEvents(client, { tools }));
    const { content, stop_reason: reason } = await hearStreamed(client, { tools });
    expect(content.map((block) => (block.type === "tool_use" ? [block.name, block.input] : null))).toEqual([
      ["f", { a: 1 }],
      ["g", { b: 2 }],
      ["h", {}],
    ]);
    expect(reason).toBe("tool_use");
  });

  test("are whole calls to Vercel's SDK", async () => {
    const { gateway } = await setScene({ a: inTurns });
    const any = tool({ inputSchema: jsonSchema<object>({ type: "object" }), execute: () => "done" });
    const heard = streamText({
      model: createAnthropic({ baseURL: `${gateway.url}/v1`, apiKey })(model),
      prompt: "Hi",
      tools: { f: any, g: any, h: any },
    });
    await heard.consumeStream();
    expect((await heard.toolCalls).map(({ toolName, input }) => [toolName, input])).toEqual([
      ["f", { a: 1 }],
      ["g", { b: 2 }],
      ["h", {}],
    ]);
  });

  test("are replayed where the stream breaks while some are held back", async () => {
    const breaks: Script = (reply) => {
      const broken = [
        { index: 0, id: "call_f", type: "function", function: { name: "f", arguments: '{"a":' } },
        { index: 1, id: "call_g", type: "function", function: { name: "g", arguments: '{"b":2}' } },
      ];
      return broken
        .reduce<Reply>(
          (said, call) => said.chunk(sse(chatChunk({ delta: { tool_calls: [call] } }))),
          reply.eventStream(),
        )
        .reset();
    };
    const again = callPieces([0, '{"a":', "f"], [1, '{"b":2}', "g"], [0, "1}"]);
    const { gateway } = await setScene({ a: breaks, b: again });
    const heard = await hearEvents(anthropicAt(gateway.url), { tools });
    expectWellFormed(heard);
    const json = heard.events.map((event) =>
      event.type === "content_block_delta" && event.delta.type === "input_json_delta" ? event.delta.partial_json : "",
    );
    expect(json.join("")).toBe('{"a":1}{"b":2}');
  });
});

describe("a stream of Anthropic's that breaks between two blocks", () => {
  const serving = (name: string): Readonly<Record<"a" | "b", Omit<TestProvider, "url">>> => {
    const provider = { ...claude, model: null, models: [`${name}: { price: { input: 1, output: 2 } }`] };
    return { a: provider, b: provider };
  };
  const breaksAfter =
    (...blocks: readonly MessageBlock[]): Script =>
    (reply) =>
      messageEvents(blocks, { stopReason: null })
        .reduce<Reply>((said, event) => said.chunk(event), reply.eventStream())
        .reset();
  const text: MessageBlock = { type: "text", text: "I look it up." };
  const call: MessageBlock = { type: "tool_use", id: "toolu_1", name: "f", input: { a: 1 } };
  const thought: MessageBlock = { type: "thinking", thinking: "Hm, well.", signature: "EqQB" };

  test.each([
    ["after a text", [text], [text, call]],
    ["after a call", [text, call], [text, call, { ...call, name: "g" }]],
    ["before the end", [text], [text]],
  ] as const)("is gone on with in new blocks: %s", async (_name, sent, all) => {
    const name = "claude-opus-5";
    const { gateway } = await setScene(
      { a: breaksAfter(...sent), b: answersMessage(all) },
      { providers: serving(name) },
    );
    const heard = await hearEvents(anthropicAt(gateway.url), { model: name, tools });
    expectWellFormed(heard);
    expect(heard.events.filter(({ type }) => type === "content_block_start")).toHaveLength(all.length);
  });

  test("keeps the signature of a thought that was whole", async () => {
    const name = "claude-opus-5";
    const { gateway } = await setScene(
      { a: breaksAfter(thought), b: answersMessage([thought, text]) },
      { providers: serving(name) },
    );
    const client = anthropicAt(gateway.url);
    const heard = await hearEvents(client, { model: name });
    expectWellFormed(heard);
    const signatures = heard.events.flatMap((event) =>
      event.type === "content_block_delta" && event.delta.type === "signature_delta" ? [event.delta.signature] : [],
    );
    expect(signatures).toEqual(["EqQB", "EqQB"]);
  });
});

describe("a request that begins the answer itself", () => {
  const begun = { messages: [...asked.messages, { role: "assistant" as const, content: "{" }] };

  test("goes only to who goes on from there", async () => {
    const { a, b, gateway } = await setScene(
      { a: answersChat('{"a":1}'), b: answersMessage('"a":1}') },
      { providers: { b: claude } },
    );
    const { headers } = await post(gateway, { ...asked, ...begun }, { path: "/v1/messages" });
    expect([a.requests.length, b.requests.length]).toEqual([0, 1]);
    expect(sentTo(b.requests[0])).toMatchObject(begun);
    const { exclusions } = await gateway.trace(String(headers["x-tuloy-trace-id"]));
    expect(exclusions).toMatchObject([{ deployment: "a/model-x", reason: "capability" }]);
  });

  test.each([
    ["vllm", { continue_final_message: true, add_generation_prompt: false }],
    ["assistant-prefix", {}],
  ])("goes to one that is spoken to in OpenAI's and known to go on, by %s", async (continuation, members) => {
    const { a, gateway } = await setScene(
      { a: answersChat('"a":1}') },
      { providers: { a: { facts: `continuation: ${continuation}` } } },
    );
    const client = anthropicAt(gateway.url);
    for (const hear of [hearMessage, hearStreamed])
      expect((await hear(client, begun)).content).toMatchObject([{ type: "text", text: '"a":1}' }]);
    const finished = { messages: [...begun.messages, { role: "user" as const, content: "And?" }] };
    await hearMessage(client, finished);
    const said = a.requests.map((request) => request.json() as Record<string, unknown>);
    for (const body of said.slice(0, 2)) expect(body).toMatchObject({ messages: begun.messages, ...members });
    expect(said[2]).not.toHaveProperty("continue_final_message");
    expect(said[2]).toMatchObject({ messages: finished.messages });
  });

  test.each(["mistral", "deepseek", "none"])("goes to none whose way needs more, or that has none: %s", async (way) => {
    const { a, gateway } = await setScene(
      { a: answersChat("x") },
      { providers: { a: { facts: `continuation: ${way}` } } },
    );
    await expect(hearMessage(anthropicAt(gateway.url), begun)).rejects.toMatchObject({ status: 400 });
    expect(a.requests).toEqual([]);
  });

  test("goes to no model on Bedrock that does not", async () => {
    const { aws, a, gateway } = await setScene(
      { aws: answersMessage("never"), a: answersMessage('"a":1}') },
      { providers: { aws: bedrockServing("us.meta.llama3-3-70b-instruct-v1:0"), a: claude } },
    );
    const { status } = await post(gateway, { ...asked, ...begun }, { path: "/v1/messages" });
    expect([status, aws.requests.length, a.requests.length]).toEqual([200, 0, 1]);
    const { exclusions } = await gateway.lastTrace();
    expect(exclusions).toMatchObject([{ deployment: expect.stringContaining("aws/"), reason: "capability" }]);
  });

  test("is told so where nobody does", async () => {
    const { a, gateway } = await setScene({ a: answersChat('{"a":1}') });
    const { status, body } = await post(gateway, { ...asked, ...begun }, { path: "/v1/messages" });
    expect([status, a.requests.length]).toEqual([400, 0]);
    expect(body.toString()).toContain("begins the answer with its last message");
  });
});
