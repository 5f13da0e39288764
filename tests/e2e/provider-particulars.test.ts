import {
  answersChat,
  answersError,
  answersMessage,
  chatAnswer,
  chatChunk,
  chatChunks,
  sse,
  type Script,
} from "@tuloy/testkit";
import { describe, expect, test } from "vitest";

import { model } from "../harness.ts";
import { anthropicAt, hearMessage } from "../messages-scene.ts";
import { hearStream, post, setScene } from "../scene.ts";

const busy = answersError(503, null, "Busy.");

describe("azure", () => {
  const providers = { a: { kind: "azure", base: "" } };

  test("tells of its filter in a first chunk without choices, which is no answer yet", async () => {
    const filtered = {
      id: "",
      object: "",
      created: 0,
      model: "",
      choices: [],
      prompt_filter_results: [{ prompt_index: 0 }],
    };
    const { a, gateway } = await setScene(
      {
        a: (reply) => reply.eventStream().chunk(sse(filtered)).reset(),
        b: answersChat("From the twin."),
      },
      { providers },
    );
    const heard = await hearStream(gateway.client());
    expect([heard.text, heard.error]).toEqual(["From the twin.", null]);
    expect(a.requests[0]?.path).toBe("/openai/v1/chat/completions");
  });

  test("and no other provider is asked what its filter refused", async () => {
    const body = {
      error: {
        message: "The response was filtered.",
        type: null,
        param: "prompt",
        code: "content_filter",
        status: 400,
        innererror: { code: "ResponsibleAIPolicyViolation" },
      },
    };
    const { b, gateway } = await setScene(
      { a: (reply) => reply.json(400, body), b: answersChat("No.") },
      { providers },
    );
    const answer = await post(gateway);
    expect([answer.status, answer.json()]).toMatchObject([400, { error: { code: "content_filter" } }]);
    expect(b.requests).toEqual([]);
  });

  test("sends -1 for what it does not know of its limits, and stays in use", async () => {
    const unknown = { "x-ratelimit-remaining-requests": "-1", "x-ratelimit-remaining-tokens": "-1" };
    const { a, gateway } = await setScene({ a: (reply) => reply.json(200, chatAnswer("ok"), unknown) }, { providers });
    for (let count = 0; count < 3; count++) expect((await post(gateway)).status).toBe(200);
    expect(a.requests).toHaveLength(3);
  });
});

describe("a conversation that began elsewhere goes on at", () => {
  const id = "call_VpEm654HvfMoRcrE3Hgdc6";
  const messages = [
    { role: "user", name: "ana", content: "What is the weather?" },
    {
      role: "assistant",
      content: null,
      reasoning_content: "I look.",
      tool_calls: [{ id, type: "function", function: { name: "look", arguments: "{}" } }],
    },
    { role: "tool", tool_call_id: id, content: "Rain." },
  ];

  test("mistral, with ids, names and parameters as it takes them", async () => {
    const { b, gateway } = await setScene(
      { a: busy, b: answersChat("Rain.") },
      { providers: { b: { kind: "mistral" } } },
    );
    const asked = { messages, max_completion_tokens: 9, seed: 3, store: false, user: "u" };
    const heard = await hearStream(gateway.client(), asked as object);
    expect([heard.text, heard.error]).toEqual(["Rain.", null]);
    const short: unknown = expect.stringMatching(/^[A-Za-z0-9]{9}$/);
    const said = b.requests[0]?.json() as { messages: { tool_call_id?: string; tool_calls?: { id: string }[] }[] };
    expect(said).toEqual({
      model: `b-${model}`,
      stream: true,
      max_tokens: 9,
      random_seed: 3,
      messages: [
        { role: "user", content: "What is the weather?" },
        {
          role: "assistant",
          content: null,
          tool_calls: [{ id: short, type: "function", function: { name: "look", arguments: "{}" } }],
        },
        { role: "tool", tool_call_id: short, content: "Rain." },
      ],
    });
    expect(said.messages[2]?.tool_call_id).toBe(said.messages[1]?.tool_calls?.[0]?.id);
    const trace = await gateway.trace(heard.headers?.get("x-tuloy-trace-id") ?? null);
    expect(trace.notes).toEqual([
      `b/${model}: max_completion_tokens was sent as max_tokens`,
      `b/${model}: store was left out: it is not taken there`,
      `b/${model}: seed was sent as random_seed`,
      `b/${model}: user was left out: it is not taken there`,
      `b/${model}: name of messages was left out: it is not taken there`,
      `b/${model}: reasoning_content of messages was left out: it is not taken there`,
      `b/${model}: ids of tool calls were replaced: they are not of the form that is taken there`,
    ]);
  });

  // A self-hosted vLLM's ids have 46 characters.
  const long = `chatcmpl-tool-${"a1".repeat(16)}`;
  const elsewhere = [
    { role: "system", content: [{ type: "text", text: "Be brief.", cache_control: { type: "ephemeral" } }] },
    { role: "user", content: "What is the weather?" },
    {
      role: "assistant",
      content: null,
      reasoning_details: [{ type: "reasoning.encrypted", data: "s3cr3t" }],
      tool_calls: [
        {
          index: 0,
          id: long,
          type: "function",
          function: { name: "look", arguments: "{}" },
          extra_content: { google: { thought_signature: "s" } },
        },
      ],
    },
    { role: "tool", tool_call_id: long, content: "Rain." },
  ];

  test.each(["openai", "azure"])("%s, with ids that it takes, and nothing that it refuses", async (kind) => {
    const { b, gateway } = await setScene({ a: busy, b: answersChat("Rain.") }, { providers: { b: { kind } } });
    const heard = await hearStream(gateway.client(), { messages: elsewhere } as object);
    expect([heard.text, heard.error]).toEqual(["Rain.", null]);
    const short: unknown = expect.stringMatching(/^call_[0-9a-f]{35}$/);
    const said = b.requests[0]?.json() as { messages: { tool_call_id?: string; tool_calls?: { id: string }[] }[] };
    expect(said.messages).toEqual([
      { role: "system", content: [{ type: "text", text: "Be brief." }] },
      elsewhere[1],
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: short, type: "function", function: { name: "look", arguments: "{}" } }],
      },
      { role: "tool", tool_call_id: short, content: "Rain." },
    ]);
    expect(said.messages[3]?.tool_call_id).toBe(said.messages[2]?.tool_calls?.[0]?.id);
    const trace = await gateway.trace(heard.headers?.get("x-tuloy-trace-id") ?? null);
    expect(trace.notes).toEqual(
      [
        "cache_control of messages was left out: it is not taken there",
        "reasoning_details of messages was left out: it is not taken there",
        "index of messages was left out: it is not taken there",
        "extra_content of messages was left out: it is not taken there",
        "ids of tool calls were replaced: they are not of the form that is taken there",
      ].map((note) => `b/${model}: ${note}`),
    );
  });

  test("openai byte by byte, where it holds nothing that is refused there", async () => {
    const { a, gateway } = await setScene({ a: answersChat("Rain.") }, { providers: { a: { kind: "openai" } } });
    const own = [elsewhere[1], { ...messages[1], reasoning_content: undefined }, messages[2]];
    await post(gateway, { messages: own });
    const text = a.requests[0]?.body.toString() ?? "";
    expect(text).toContain(`"messages":${JSON.stringify(own)}`);
  });

  test("groq, without names and the reasoning of others", async () => {
    const { a, gateway } = await setScene({ a: answersChat("Rain.") }, { providers: { a: { kind: "groq" } } });
    await post(gateway, { messages, n: 1 });
    const said = a.requests[0]?.json() as { messages: readonly object[] };
    expect(said.messages.some((message) => "name" in message)).toBe(false);
    const { reasoning_content: _theirs, ...calls } = messages[1] ?? {};
    expect(said.messages[1]).toEqual(calls);
  });
});

describe("openrouter", () => {
  const providers = { a: { kind: "openrouter", base: "/api/v1" } };
  const waiting = ": OPENROUTER PROCESSING\n\n";

  test("tells of an error under 200, after comments: another provider answers", async () => {
    const failed = {
      ...chatChunk({ delta: { content: "" }, finish_reason: "error" }),
      error: { code: 502, message: "Gone." },
    };
    const { gateway } = await setScene(
      {
        a: (reply) => reply.eventStream().chunk(waiting).chunk(waiting).chunk(sse(failed)).chunk(sse("[DONE]")).end(),
        b: answersChat("From the twin."),
      },
      { providers },
    );
    const heard = await hearStream(gateway.client());
    expect([heard.text, heard.error]).toEqual(["From the twin.", null]);
    const trace = await gateway.trace(heard.headers?.get("x-tuloy-trace-id") ?? null);
    expect(trace.attempts.map(({ failure }) => failure)).toEqual(["server_error", null]);
  });

  test("has its reasoning_details passed on as they come", async () => {
    const details = [{ type: "reasoning.encrypted", data: "abc", format: "anthropic-claude-v1", index: 0 }];
    const thought = sse(chatChunk({ delta: { reasoning: "Hm.", reasoning_details: details } }));
    const [role = "", ...rest] = chatChunks(["Yes."]);
    const script: Script = (reply) =>
      [waiting, role, thought, ...rest].reduce((said, event) => said.chunk(event), reply.eventStream()).end();
    const { gateway } = await setScene({ a: script }, { providers });
    const heard = await hearStream(gateway.client());
    expect(heard.text).toBe("Yes.");
    expect(heard.chunks.map((chunk) => chunk.choices[0]?.delta)).toContainEqual({
      reasoning: "Hm.",
      reasoning_details: details,
    });
  });
});

test("deepseek gets Claude Code's id of a user in a form that it takes, the same one every time", async () => {
  const { a, gateway } = await setScene(
    { a: answersMessage("Hi.") },
    { providers: { a: { kind: "deepseek", base: "" } } },
  );
  const client = anthropicAt(gateway.url);
  const userId = JSON.stringify({ device_id: "ea10", account_uuid: "", session_id: "db60089f" });
  for (const id of [userId, userId, "user_7"]) await hearMessage(client, { metadata: { user_id: id } });
  const said = a.requests.map((request) => request.json() as { metadata: unknown });
  const digest = { user_id: expect.stringMatching(/^[0-9a-f]{64}$/) as string };
  expect(said.map(({ metadata }) => metadata)).toEqual([digest, digest, { user_id: "user_7" }]);
  expect(said[0]?.metadata).toEqual(said[1]?.metadata);
  expect(a.requests[0]?.path).toBe("/anthropic/v1/messages");
});

test("deepseek's keep-alive comments, and empty lines before JSON, are not taken for an answer", async () => {
  const script: Script = (reply, request) => {
    if ((request.json() as { stream?: boolean }).stream !== true) {
      return reply
        .status(200)
        .headers({ "content-type": "application/json" })
        .chunk("\n\n\n")
        .chunk(JSON.stringify(chatAnswer("Whole.")))
        .end();
    }
    return [": keep-alive\n\n", ...chatChunks(["In ", "pieces."])]
      .reduce((said, event) => said.chunk(event), reply.eventStream())
      .end();
  };
  const { gateway } = await setScene({ a: script }, { providers: { a: { kind: "deepseek", base: "" } } });
  expect((await post(gateway)).json()).toMatchObject({ choices: [{ message: { content: "Whole." } }] });
  expect((await hearStream(gateway.client())).text).toBe("In pieces.");
});

test("a second dialect beside the first one's path is reached there, with its own header for the key", async () => {
  const { a, b, gateway } = await setScene(
    { a: answersError(503, null, "Busy."), b: answersError(503, null, "Busy.") },
    { providers: { a: { kind: "moonshot" }, b: { kind: "deepseek", base: "" } } },
  );
  await post(gateway, { max_tokens: 5 }, { path: "/v1/messages" });
  expect([a.requests[0]?.path, a.requests[0]?.headers["authorization"]]).toEqual([
    "/anthropic/v1/messages",
    "Bearer sk-a-secret-key",
  ]);
  expect([b.requests[0]?.path, b.requests[0]?.headers["x-api-key"], b.requests[0]?.headers["authorization"]]).toEqual([
    "/anthropic/v1/messages",
    "sk-b-secret-key",
    undefined,
  ]);
});
