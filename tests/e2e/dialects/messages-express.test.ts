import Anthropic from "@anthropic-ai/sdk";
import {
  answersAnthropicError,
  answersMessage,
  eventually,
  FakeClock,
  messageEvents,
  readMessageStream,
} from "@tuloy/testkit";
import type { MessageBlock, MessageShape } from "@tuloy/testkit";
import { describe, expect, test } from "vitest";

import { apiKey } from "../../harness.ts";
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
import { post, setScene } from "../../scene.ts";

const thinking: MessageBlock = { type: "thinking", thinking: "Let me see.", signature: "EqQBCgIYAhIM" };
const call: MessageBlock = { type: "tool_use", id: "toolu_01A", name: "weather", input: { city: "Cebu", days: 2 } };

const answers: Readonly<Record<string, readonly [readonly MessageBlock[], MessageShape]>> = {
  "plain text": [[{ type: "text", text: "Good day to you." }], {}],
  "usage with a prompt cache": [
    [{ type: "text", text: "Cached." }],
    { usage: { input: 3, output: 9, read: 1000, written: 200 } },
  ],
  "a call": [[{ type: "text", text: "I look." }, call], {}],
  "parallel calls": [[call, { ...call, id: "toolu_01B", input: {} }], {}],
  "thinking with its signature": [
    [thinking, { type: "text", text: "Yes." }],
    { usage: { input: 5, output: 9, thinking: 4 } },
  ],
  "thinking that is not shown": [
    [
      { ...thinking, thinking: "" },
      { type: "text", text: "Yes." },
    ],
    {},
  ],
  "redacted thinking": [
    [
      { type: "redacted_thinking", data: "EmwKAhgC" },
      { type: "text", text: "Yes." },
    ],
    {},
  ],
  "a refusal": [
    [{ type: "text", text: "I" }],
    { stopReason: "refusal", stopDetails: { type: "refusal", category: "bio", explanation: "No." } },
  ],
  "a stop sequence": [[{ type: "text", text: "One" }], { stopReason: "stop_sequence", stopSequence: "Two" }],
  "a paused turn": [[{ type: "text", text: "Wait" }], { stopReason: "pause_turn" }],
  "an answer cut by its limit": [[{ type: "text", text: "And so" }], { stopReason: "max_tokens" }],
};

describe("what the SDK hears through the gateway is what it hears without it", () => {
  test.each(Object.entries(answers))("%s", async (_what, [blocks, shape]) => {
    const { a, gateway } = await setScene({ a: answersMessage(blocks, shape) }, { providers: { a: claude } });
    const [direct, through] = [anthropicAt(a.url), anthropicAt(gateway.url)];
    expect(await hearMessage(through)).toEqual(await hearMessage(direct));
    expect(await hearStreamed(through)).toEqual(await hearStreamed(direct));
    expect((await hearEvents(through)).events).toEqual((await hearEvents(direct)).events);
  });

  test("an error", async () => {
    const script = answersAnthropicError(400, "invalid_request_error", "max_tokens: Field required");
    const { a, gateway } = await setScene({ a: script }, { providers: { a: claude } });
    const error = async (client: Anthropic): Promise<unknown> => {
      const thrown: unknown = await client.messages.create(asked).catch((caught: unknown) => caught);
      if (!(thrown instanceof Anthropic.BadRequestError)) return thrown;
      return { status: thrown.status, type: thrown.type, error: thrown.error };
    };
    expect(await error(anthropicAt(gateway.url))).toEqual(await error(anthropicAt(a.url)));
  });
});

test("what Claude Code sends reaches the provider as it is, but for the model, the key and what was for the gateway", async () => {
  const { a, gateway } = await setScene({ a: answersMessage("Hi.") }, { providers: { a: claude } });
  const body = {
    model,
    max_tokens: 32_000,
    stream: true,
    system: [
      { type: "text", text: "You are Claude Code.", cache_control: { type: "ephemeral" } },
      { type: "text", text: "Be brief.", cache_control: { type: "ephemeral", ttl: "1h" } },
    ],
    tools: [{ name: "Bash", description: "Runs.", input_schema: { type: "object", properties: { __proto__x: {} } } }],
    thinking: { type: "adaptive" },
    output_config: { effort: "high" },
    context_management: { edits: [{ type: "clear_thinking_20251015" }] },
    metadata: { user_id: "user_ab12_account_cd34_session_0f8fad5b-d9cb-469f-a165-70867728950e" },
    messages: [{ role: "user", content: [{ type: "text", text: "Hello", cache_control: { type: "ephemeral" } }] }],
  };
  const raw = await post(gateway, JSON.stringify({ ...body, provider: { order: ["a"] } }), {
    path: "/v1/messages?beta=true",
    headers: {
      "x-api-key": apiKey,
      "anthropic-version": "2023-06-01",
      "anthropic-beta": "claude-code-20250219,interleaved-thinking-2025-05-14",
      "user-agent": "claude-cli/2.1.0 (external, cli)",
    },
  });
  expect(readMessageStream(raw.body)).toMatchObject({ text: "Hi.", stops: 1, problems: [] });
  const [request] = a.requests;
  expect(request?.path).toBe("/v1/messages");
  expect(sentTo(request)).toEqual({ ...body, model: `a-${model}` });
  expect(request?.headers).toMatchObject({
    "x-api-key": "sk-a-secret-key",
    "anthropic-version": "2023-06-01",
    "anthropic-beta": "claude-code-20250219,interleaved-thinking-2025-05-14",
    "user-agent": expect.stringContaining("claude-cli/2.1.0"),
  });
  expect(request?.headers.authorization).toBeUndefined();
  const trace = await gateway.lastTrace();
  expect(trace).toMatchObject({
    dialect: "anthropic-messages",
    outcome: "succeeded",
    usage: { input_tokens: 5, output_tokens: 7 },
  });
});

test("what only Anthropic sends passes as it is: tools that it ran, citations, events of a later day", async () => {
  const events = [
    ...messageEvents([], { stopReason: null }),
    'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{}}}\n\n',
    'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n',
    'event: content_block_start\ndata: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":"","citations":[]}}\n\n',
    'event: content_block_delta\ndata: {"type":"content_block_delta","index":1,"delta":{"type":"citations_delta","citation":{"type":"web_search_result_location"}}}\n\n',
    'event: content_block_delta\ndata: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Found."}}\n\n',
    'event: content_block_stop\ndata: {"type":"content_block_stop","index":1}\n\n',
    'event: of_a_later_day\ndata: {"type":"of_a_later_day","x":1}\n\n',
    'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":9}}\n\n',
    'event: message_stop\ndata: {"type":"message_stop"}\n\n',
  ];
  const { gateway } = await setScene(
    { a: (reply) => events.reduce((said, event) => said.chunk(event), reply.eventStream()).end() },
    { providers: { a: claude } },
  );
  const raw = await post(gateway, { ...asked, stream: true }, { path: "/v1/messages" });
  expect(raw.body.toString()).toBe(events.join(""));
  expect((await gateway.lastTrace()).notes).toEqual([]);
});

test("both addresses that SDKs are given work, with a bearer token too", async () => {
  const { gateway } = await setScene({ a: answersMessage("Hi.") }, { providers: { a: claude } });
  for (const base of [gateway.url, `${gateway.url}/api`])
    expect((await hearMessage(anthropicAt(base))).content).toHaveLength(1);
  const bearer = new Anthropic({ baseURL: gateway.url, apiKey: null, authToken: apiKey, maxRetries: 0 });
  expect((await hearMessage(bearer)).content).toHaveLength(1);
});

test("a client that names no version gets one", async () => {
  const { a, gateway } = await setScene({ a: answersMessage("Hi.") }, { providers: { a: claude } });
  await post(gateway, asked, { path: "/v1/messages" });
  expect(a.requests[0]?.headers["anthropic-version"]).toBe("2023-06-01");
});

describe("the gateway's own errors have Anthropic's form", () => {
  test.each([
    ["a wrong key", Anthropic.AuthenticationError, { key: "not-a-key-of-this-gateway" }, "invalid_api_key"],
    ["an unknown model", Anthropic.NotFoundError, { body: { model: "nobody-has-it" } }, "model_not_found"],
    ["a body that is no request", Anthropic.BadRequestError, { body: { messages: "Hi" as never } }, "invalid_request"],
  ])("%s", async (_what, kind, { key, body }: { key?: string; body?: object }, code) => {
    const { gateway } = await setScene({ a: answersMessage("Hi.") }, { providers: { a: claude } });
    const thrown: unknown = await hearMessage(anthropicAt(gateway.url, key), body).catch((caught: unknown) => caught);
    expect(thrown).toBeInstanceOf(kind);
    expect(thrown).toMatchObject({
      errorCode: code,
      error: { type: "error", request_id: expect.stringMatching(/^[0-9a-f]{32}$/) },
    });
  });

  test("and one that every provider has is not sent again", async () => {
    const busy = answersAnthropicError(529, "overloaded_error", "Overloaded");
    const { a, b, gateway } = await setScene({ a: busy, b: busy }, { providers: { a: claude, b: claude } });
    const client = new Anthropic({ baseURL: gateway.url, apiKey, maxRetries: 2 });
    const thrown: unknown = await client.messages.create(asked).catch((caught: unknown) => caught);
    expect(thrown).toMatchObject({ type: "overloaded_error" });
    const attempts = (thrown as { details: { attempts: { provider: string }[] } }).details.attempts;
    expect(attempts.slice(0, 2).map(({ provider }) => provider)).toEqual(["a", "b"]);
    expect(a.requests.length + b.requests.length).toBe(attempts.length);
  });
});

describe("failover among providers of the dialect", () => {
  test.each([
    ["an overloaded one", answersAnthropicError(529, "overloaded_error", "Overloaded"), "overloaded"],
    [
      "one without credit",
      answersAnthropicError(
        400,
        "invalid_request_error",
        "Your credit balance is too low to access the Anthropic API.",
      ),
      "quota_exhausted",
    ],
    [
      "one whose limit is reached",
      answersAnthropicError(
        400,
        "invalid_request_error",
        "You have reached your specified API usage limits. You will regain access on 2026-12-01.",
      ),
      "quota_exhausted",
    ],
    [
      "one whose account is closed",
      answersAnthropicError(400, "invalid_request_error", "This organization has been disabled."),
      "auth",
    ],
    [
      "one that errs inside its stream",
      ((reply) =>
        reply
          .eventStream()
          .chunk(messageEvents([])[0] ?? "")
          .chunk('event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n')
          .end()) satisfies Parameters<typeof setScene>[0][string],
      "overloaded",
    ],
  ])("after %s", async (_what, script, failure) => {
    const { gateway } = await setScene(
      { a: script, b: answersMessage("From b.", { id: "msg_b" }) },
      { providers: { a: claude, b: claude } },
    );
    const { text, error, headers, events } = await hearEvents(anthropicAt(gateway.url));
    expect([text, error, headers?.get("x-tuloy-failover")]).toEqual(["From b.", null, failure]);
    expect(events.filter(({ type }) => type === "message_start")).toHaveLength(1);
  });

  test("after a filter of its own refused, there is none", async () => {
    const refused = answersAnthropicError(400, "invalid_request_error", "Output blocked by content filtering policy");
    const { b, gateway } = await setScene(
      { a: refused, b: answersMessage("x") },
      { providers: { a: claude, b: claude } },
    );
    await expect(hearMessage(anthropicAt(gateway.url))).rejects.toMatchObject({ status: 400 });
    expect(b.requests).toHaveLength(0);
  });
});

test("what was written to the prompt cache is on the trace and charged at its price", async () => {
  const { gateway } = await setScene(
    { a: answersMessage("Hi.", { usage: { input: 10, output: 2, read: 100, written: 50 } }) },
    { providers: { a: { ...claude, price: "{ input: 4, output: 20, cached_input: 0.4, cache_write: 5 }" } } },
  );
  await hearStreamed(anthropicAt(gateway.url));
  const trace = await gateway.lastTrace();
  expect(trace.usage).toMatchObject({
    input_tokens: 160,
    cached_input_tokens: 100,
    cache_write_tokens: 50,
    output_tokens: 2,
  });
  expect(trace.cost_usd).toBeCloseTo((10 * 4 + 100 * 0.4 + 50 * 5 + 2 * 20) / 1e6, 12);
});

test("what was written to it for an hour is charged at twice the input", async () => {
  const { gateway } = await setScene(
    { a: answersMessage("Hi.", { usage: { input: 10, output: 2, written: 50, hour: 30 } }) },
    { providers: { a: { ...claude, price: "{ input: 4, output: 20, cached_input: 0.4, cache_write: 5 }" } } },
  );
  for (const [index, hear] of [hearMessage, hearStreamed].entries()) {
    await hear(anthropicAt(gateway.url));
    const trace = await gateway.lastTrace(index + 1);
    expect(trace.usage).toMatchObject({ input_tokens: 60, cache_write_tokens: 50, cache_write_1h_tokens: 30 });
    expect(trace.cost_usd).toBeCloseTo((10 * 4 + 20 * 5 + 30 * 8 + 2 * 20) / 1e6, 12);
  }
});

test("thoughts that another provider signed are kept from Anthropic, and its own stay", async () => {
  const { a, gateway } = await setScene({ a: answersMessage("Hi.") }, { providers: { a: claude } });
  const own = { type: "thinking", thinking: "mine", signature: "EqQB" } as const;
  await hearMessage(anthropicAt(gateway.url), {
    messages: [
      { role: "user", content: "a" },
      {
        role: "assistant",
        content: [{ type: "thinking", thinking: "theirs", signature: "tuloy:openai-responses::gAAA" }],
      },
      {
        role: "assistant",
        content: [own, { type: "thinking", thinking: "x", signature: "tuloy:" }, { type: "text", text: "b" }],
      },
      { role: "user", content: "c" },
    ],
  });
  expect(sentTo(a.requests[0]).messages).toEqual([
    { role: "user", content: "a" },
    { role: "assistant", content: [own, { type: "text", text: "b" }] },
    { role: "user", content: "c" },
  ]);
  expect((await gateway.lastTrace()).notes).toEqual([
    expect.stringMatching(/^a\/model-x: reasoning of earlier turns was left out/),
  ]);
});

test("under report_model: requested every answer names the model that was asked for", async () => {
  const { gateway } = await setScene(
    { a: answersMessage("Hi.") },
    { providers: { a: claude }, routes: ["name: r, match: { models: [model-x] }, report_model: requested"] },
  );
  const client = anthropicAt(gateway.url);
  expect((await hearMessage(client)).model).toBe(model);
  const { events } = await hearEvents(client);
  expect(events[0]).toMatchObject({ type: "message_start", message: { model } });
});

describe("the list of models", () => {
  test("has Anthropic's form for its SDK", async () => {
    const { gateway } = await setScene(
      { a: answersMessage("Hi.") },
      { providers: { a: { ...claude, model: "context: 200000, max_output: 64000", also: ["gpt-4.1"] } } },
    );
    const client = anthropicAt(gateway.url);
    const ids: string[] = [];
    for await (const { id, type } of client.models.list({ limit: 1 })) ids.push(`${type} ${id}`);
    expect(ids).toEqual(["model gpt-4.1", `model ${model}`]);
    expect(await client.models.retrieve(model)).toMatchObject({
      id: model,
      type: "model",
      max_tokens: 64_000,
      max_input_tokens: 200_000,
    });
    await expect(client.models.retrieve("nothing")).rejects.toBeInstanceOf(Anthropic.NotFoundError);
  });
});

test("a message that is long in coming is announced by pings, Anthropic's own sign of life", async () => {
  const clock = new FakeClock();
  const spoken = Promise.withResolvers<void>();
  const { a, gateway } = await setScene(
    { a: (reply, request) => answersMessage("Here at last.")(reply.wait(spoken.promise), request) },
    { providers: { a: claude }, clock, failover: "first_token: 1m" },
  );
  let heard = "";
  const answer = post(
    gateway,
    { ...asked, stream: true },
    { path: "/v1/messages", onData: (bytes) => void (heard += bytes.toString()) },
  );
  await a.received(0);
  await clock.pass(15_000);
  await eventually(() => heard === 'event: ping\ndata: {"type":"ping"}\n\n', "the first ping");
  spoken.resolve();
  const stream = readMessageStream((await answer).body);
  // One of the gateway's, one of the provider's.
  expect(stream).toMatchObject({ text: "Here at last.", pings: 2, stops: 1, problems: [] });
});
