import { collect, eventually, expectClean, FakeClock, readChatStream } from "@tuloy/testkit";
import type { Collected } from "@tuloy/testkit";
import OpenAI from "openai";
import { afterEach, expect, test } from "vitest";

import { systemClock } from "../clock.ts";
import { startSandbox } from "./index.ts";
import type { Sandbox, SandboxOptions } from "./index.ts";

const started: Sandbox[] = [];

async function sandboxWith(options: Partial<SandboxOptions> = {}): Promise<Sandbox> {
  const instant = { clock: systemClock, random: () => 0.5, tokensPerSecond: Number.POSITIVE_INFINITY, firstTokenMs: 0 };
  const sandbox = await startSandbox({ ...instant, ...options });
  started.push(sandbox);
  return sandbox;
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((sandbox) => sandbox.close()));
});

const question = { model: "any-model", messages: [{ role: "user" as const, content: "How are you?" }] };

function chat(sandbox: Sandbox, more: object = {}, options: Parameters<typeof collect>[1] = {}): Promise<Collected> {
  return collect(`${sandbox.url}/chat/completions`, { body: { ...question, ...more }, ...options });
}

function sdk(sandbox: Sandbox, apiKey = "none"): OpenAI {
  return new OpenAI({ baseURL: sandbox.url, apiKey, maxRetries: 0 });
}

/** The text of a JSON answer. */
function textOf(answer: Collected): string {
  return (answer.json() as OpenAI.ChatCompletion).choices[0]?.message.content ?? "";
}

test("the official SDK gets a whole answer with honest usage", async () => {
  const sandbox = await sandboxWith();
  const answer = await sdk(sandbox).chat.completions.create(question);
  const [choice] = answer.choices;
  expect(choice?.finish_reason).toBe("stop");
  expect(choice?.message.content).toMatch(/^This answer is simulated\. /);
  expect(answer.model).toBe("any-model");
  const { prompt_tokens: prompt, completion_tokens: completion, total_tokens: total } = answer.usage ?? {};
  // "How are you?" is 12 characters, so 3 tokens; 4 for the message and 3 for the reply's start.
  expect(prompt).toBe(10);
  expect(completion).toBeGreaterThanOrEqual(40);
  expect(total).toBe((prompt ?? 0) + (completion ?? 0));
});

test("a stream is clean and has the same text as the JSON answer", async () => {
  const sandbox = await sandboxWith();
  const text = textOf(await chat(sandbox));
  const streamed = await chat(sandbox, { stream: true });
  expect(streamed.headers["content-type"]).toContain("text/event-stream");
  expect(expectClean(streamed, text)).toEqual([]);
  expect(readChatStream(streamed.body).usages).toEqual([]);
});

test("the official SDK reads the stream, and the usage when it asks for it", async () => {
  const sandbox = await sandboxWith();
  const whole = await sdk(sandbox).chat.completions.create(question);
  const stream = await sdk(sandbox).chat.completions.create({
    ...question,
    stream: true,
    stream_options: { include_usage: true },
  });
  let text = "";
  const usages = [];
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? "";
    if (chunk.usage) usages.push([chunk.choices.length, chunk.usage]);
  }
  expect(text).toBe(whole.choices[0]?.message.content);
  expect(usages).toEqual([[0, whole.usage]]);
});

test("two sandboxes answer the same prompt with the same text, under different ids", async () => {
  const answers = await Promise.all([sandboxWith(), sandboxWith()].map(async (sandbox) => chat(await sandbox)));
  expect(textOf(answers[0] as Collected)).toBe(textOf(answers[1] as Collected));
  expect(new Set(answers.map((answer) => (answer.json() as { id: string }).id)).size).toBe(2);
});

test.each(["max_tokens", "max_completion_tokens"])("%s cuts the answer, and says so", async (limit) => {
  const sandbox = await sandboxWith();
  const whole = textOf(await chat(sandbox));
  const cut = (await chat(sandbox, { [limit]: 7 })).json() as OpenAI.ChatCompletion;
  expect([cut.choices[0]?.finish_reason, cut.usage?.completion_tokens]).toEqual(["length", 7]);
  expect(whole.startsWith(cut.choices[0]?.message.content ?? "no")).toBe(true);
  const stream = readChatStream((await chat(sandbox, { [limit]: 7, stream: true })).body);
  expect([stream.text, stream.finishReasons]).toEqual([cut.choices[0]?.message.content, ["length"]]);
});

test("a limit that the answer fits in changes nothing", async () => {
  const sandbox = await sandboxWith();
  expect(textOf(await chat(sandbox, { max_tokens: 10_000 }))).toBe(textOf(await chat(sandbox)));
});

test("messages in parts are read, and a JSON object is given where one is asked for", async () => {
  const sandbox = await sandboxWith();
  const parts = { messages: [{ role: "user", content: [{ type: "text", text: "How are you?" }] }] };
  expect(textOf(await chat(sandbox, parts))).toBe(textOf(await chat(sandbox)));
  const object = textOf(await chat(sandbox, { response_format: { type: "json_object" } }));
  expect(JSON.parse(object)).toEqual({ answer: textOf(await chat(sandbox)) });
});

test.each([
  ["no model", { model: undefined }],
  ["no messages", { messages: [] }],
  ["two choices", { n: 2 }],
  ["a tool call", { tool_choice: "required" }],
  ["a JSON schema", { response_format: { type: "json_schema", json_schema: {} } }],
  ["a limit of nothing", { max_tokens: 0 }],
  ["a limit that is no number", { max_tokens: "7" }],
])("%s is refused in OpenAI's form", async (_, more) => {
  const answer = await chat(await sandboxWith(), more);
  expect([answer.status, answer.json()]).toEqual([
    400,
    { error: { message: expect.any(String), type: "invalid_request_error", param: null, code: null } },
  ]);
});

test("tools may be offered: they are not called", async () => {
  const tools = [{ type: "function", function: { name: "f", parameters: {} } }];
  expect((await chat(await sandboxWith(), { tools, tool_choice: "auto" })).status).toBe(200);
});

test("a body that is no JSON and a path that is none are refused", async () => {
  const sandbox = await sandboxWith();
  expect((await collect(`${sandbox.url}/chat/completions`, { body: "{" })).status).toBe(400);
  expect((await collect(`${sandbox.url}/chat/completions`, { body: "[]" })).status).toBe(400);
  expect((await collect(`${sandbox.url}/chat/completions`)).status).toBe(404);
  expect((await collect(`${sandbox.url}/nothing`, { body: {} })).status).toBe(404);
});

test("where keys are configured, each of them is accepted and nothing else", async () => {
  const sandbox = await sandboxWith({ apiKeys: ["key-1", "key-2"] });
  await expect(sdk(sandbox, "key-1").chat.completions.create(question)).resolves.toBeDefined();
  await expect(sdk(sandbox, "key-2").models.list()).resolves.toBeDefined();
  await expect(sdk(sandbox, "key-3").chat.completions.create(question)).rejects.toMatchObject({
    status: 401,
    code: "invalid_api_key",
  });
  expect((await chat(sandbox)).status).toBe(401);
});

test("where models are configured, these are listed and served, and no other", async () => {
  const sandbox = await sandboxWith({ models: ["a", "org/b"] });
  const listed = await sdk(sandbox).models.list();
  expect(listed.data.map(({ id }) => id)).toEqual(["a", "org/b"]);
  expect((await sdk(sandbox).models.retrieve("org/b")).id).toBe("org/b");
  await expect(sdk(sandbox).models.retrieve("c")).rejects.toMatchObject({ status: 404 });
  expect((await chat(sandbox, { model: "org/b" })).status).toBe(200);
  expect((await chat(sandbox, { model: "c" })).json()).toMatchObject({ error: { code: "model_not_found" } });
});

test("embeddings have length 1, are the same for the same text, and near for similar ones", async () => {
  const sandbox = await sandboxWith();
  const input = ["the ferry leaves the pier", "the ferry leaves the pier", "a ferry leaves the pier", "tax law", ""];
  const { data, usage } = await sdk(sandbox).embeddings.create({ model: "e", input });
  const [one = [], same = [], near = [], far = [], none = []] = data.map(({ embedding }) => embedding);
  const dot = (a: number[], b: number[]): number => a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);
  expect(one.length).toBe(256);
  for (const vector of [one, far, none]) expect(dot(vector, vector)).toBeCloseTo(1);
  expect(same).toEqual(one);
  expect(dot(one, near)).toBeGreaterThan(dot(one, far) + 0.3);
  expect(usage.prompt_tokens).toBe(7 + 7 + 6 + 2 + 1);
});

test("embeddings honour dimensions, encoding and token input", async () => {
  const sandbox = await sandboxWith();
  const float = await sdk(sandbox).embeddings.create({
    model: "e",
    input: "hi",
    dimensions: 8,
    encoding_format: "float",
  });
  const base64 = await sdk(sandbox).embeddings.create({ model: "e", input: "hi", dimensions: 8 });
  expect(base64.data[0]?.embedding).toEqual(float.data[0]?.embedding);
  expect(float.data[0]?.embedding.length).toBe(8);
  const tokens = await sdk(sandbox).embeddings.create({ model: "e", input: [[1, 2], [3]] });
  expect(tokens.data.map(({ index }) => index)).toEqual([0, 1]);
  await expect(sdk(sandbox).embeddings.create({ model: "e", input: [] })).rejects.toMatchObject({ status: 400 });
});

test("the first token and each further one come at their time", async () => {
  const clock = new FakeClock();
  const sandbox = await sandboxWith({ clock, firstTokenMs: 200, tokensPerSecond: 10 });
  let seen = "";
  const answer = chat(sandbox, { stream: true, max_tokens: 3 }, { onData: (bytes) => (seen += bytes.toString()) });
  const tokens = (): number => seen.split('"content":"').length - 2;
  await eventually(() => clock.pending === 1);
  clock.advance(199);
  await clock.pass(0);
  expect(seen).toBe("");
  for (const [ms, count] of [
    [1, 1],
    [100, 2],
    [100, 3],
  ] as const) {
    clock.advance(ms);
    await eventually(() => tokens() === count);
  }
  expect((await answer).ended).toBe("clean");
  expect(clock.pending).toBe(0);
});

test("the time to the first token varies by a tenth, as the random numbers fall", async () => {
  const clock = new FakeClock();
  const numbers = [0, 1];
  const sandbox = await sandboxWith({ clock, random: () => numbers.shift() ?? 0, firstTokenMs: 1000 });
  for (const ms of [900, 1100]) {
    const answer = chat(sandbox, { max_tokens: 1 });
    await eventually(() => clock.pending === 1);
    clock.advance(ms - 1);
    expect(clock.pending).toBe(1);
    clock.advance(1);
    expect((await answer).ended).toBe("clean");
  }
});

test("a client that leaves ends the work at once", async () => {
  const clock = new FakeClock();
  const sandbox = await sandboxWith({ clock, tokensPerSecond: 1, firstTokenMs: 0 });
  const answer = chat(sandbox, { stream: true }, { onData: () => false });
  await eventually(() => clock.pending === 1);
  expect(sandbox.stats).toMatchObject({ requests: 1, active: 1, aborted: 0 });
  clock.advance(0);
  expect((await answer).ended).toBe("left");
  await eventually(() => sandbox.stats.active === 0);
  expect(sandbox.stats.aborted).toBe(1);
  expect(clock.pending).toBe(0);
});

test("hundreds of streams run side by side, each whole", async () => {
  const sandbox = await sandboxWith({ tokensPerSecond: 2_000, firstTokenMs: 20 });
  const text = textOf(await chat(sandbox));
  const answers = await Promise.all(Array.from({ length: 300 }, () => chat(sandbox, { stream: true })));
  expect(answers.flatMap((answer) => expectClean(answer, text))).toEqual([]);
  expect(sandbox.stats).toMatchObject({ requests: 301, active: 0, aborted: 0, faults: {} });
});
