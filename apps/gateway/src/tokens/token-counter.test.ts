import type { Tokenizer } from "@tuloy/catalog";
import type { Dialect } from "@tuloy/contract";
import { FakeClock } from "@tuloy/testkit";
import { afterEach, describe, expect, it } from "vitest";

import { TokenCounter } from "./token-counter.ts";

const open: TokenCounter[] = [];
afterEach(() => Promise.all(open.splice(0).map((counter) => counter.close())));

const faults: unknown[] = [];
function counterWith(clock: FakeClock): TokenCounter {
  const counter = new TokenCounter(clock, (error) => faults.push(error));
  open.push(counter);
  return counter;
}

const count = (counter: TokenCounter, tokenizer: Tokenizer, dialect: Dialect, body: Buffer) =>
  counter.count({ tokenizer, dialect, body }, 1000);

const chat = (content: unknown, more: object = {}): Buffer =>
  Buffer.from(JSON.stringify({ model: "m", messages: [{ role: "user", content }], ...more }));

describe("counting on another thread", () => {
  it("tells the tokens of a chat's texts, with what is no text beside them", async () => {
    const counter = counterWith(new FakeClock());
    const hello = await count(counter, "o200k", "openai-chat", chat("hello world"));
    // The role is one token; 3 are the message's frame and 3 begin the answer.
    expect(hello).toEqual({ inputTokens: 9, contextTokens: 9, characters: 15, textTokens: 3 });
    const parts = [
      { type: "text", text: "hello world" },
      { type: "image_url", image_url: { url: "data:x" } },
    ];
    expect(await count(counter, "o200k", "openai-chat", chat(parts))).toMatchObject({
      inputTokens: 1009,
      textTokens: 3,
    });
    const tools = { tools: [{ type: "function", function: { name: "f" } }] };
    expect((await count(counter, "o200k", "openai-chat", chat("hello world", tools)))?.inputTokens).toBeGreaterThan(15);
  });

  it("tells the tokens of a conversation in Anthropic's dialect", async () => {
    const counter = counterWith(new FakeClock());
    const content = [
      { type: "text", text: "hello world" },
      { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } },
    ];
    const messages = [
      { role: "user", content },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "t", content: "hello world" }] },
    ];
    const body = Buffer.from(JSON.stringify({ model: "m", system: "hello world", messages }));
    expect(await count(counter, "o200k", "anthropic-messages", body)).toMatchObject({
      inputTokens: 1012,
      textTokens: 6,
    });
  });

  it("tells the tokens of a conversation in the Responses API", async () => {
    const counter = counterWith(new FakeClock());
    const content = [
      { type: "input_text", text: "hello world" },
      { type: "input_image", image_url: "data:x" },
    ];
    const input = [
      { role: "user", content },
      { type: "function_call_output", call_id: "c", output: "hello world" },
    ];
    const body = (said: unknown): Buffer =>
      Buffer.from(JSON.stringify({ model: "m", instructions: "hello world", input: said }));
    // A frame of 3 an item, 3 to begin the answer, and the role.
    expect(await count(counter, "o200k", "openai-responses", body(input))).toMatchObject({
      inputTokens: 1016,
      textTokens: 7,
    });
    expect(await count(counter, "o200k", "openai-responses", body("hello world"))).toMatchObject({
      inputTokens: 10,
      textTokens: 4,
    });
  });

  it("tells the largest of several inputs to embed, which each have the context for themselves", async () => {
    const counter = counterWith(new FakeClock());
    const inputs = (input: unknown): Buffer => Buffer.from(JSON.stringify({ model: "m", input }));
    const size = await count(counter, "cl100k", "openai-embeddings", inputs(["hello world", "hello"]));
    expect(size).toMatchObject({ inputTokens: 3, contextTokens: 2 });
    expect(await count(counter, "cl100k", "openai-embeddings", inputs([1, 2, 3]))).toMatchObject({
      inputTokens: 3,
      contextTokens: 3,
    });
  });

  it("gives a body's own bytes away by copy: the body stays as it was", async () => {
    const body = chat("hello world");
    const before = body.toString();
    await count(counterWith(new FakeClock()), "o200k", "openai-chat", body);
    expect(body.toString()).toBe(before);
  });

  it("is not waited for beyond its time", async () => {
    const clock = new FakeClock();
    const counter = counterWith(clock);
    const late = count(counter, "o200k", "openai-chat", chat("hello world"));
    clock.advance(1000);
    expect(await late).toBeNull();
    expect(await count(counter, "o200k", "openai-chat", chat("hello world"))).not.toBeNull();
  });

  it("takes no more than it can answer in time, and nothing huge", async () => {
    const counter = counterWith(new FakeClock());
    const jobs = Array.from({ length: 17 }, () => count(counter, "o200k", "openai-chat", chat("hello world")));
    const sizes = await Promise.all(jobs);
    expect(sizes.filter((size) => size === null)).toHaveLength(1);
    expect(await count(counter, "o200k", "openai-chat", Buffer.alloc(4 * 1024 * 1024 + 1))).toBeNull();
  });

  it("ends its thread when it is idle, and starts another one when it is needed", async () => {
    const clock = new FakeClock();
    const counter = counterWith(clock);
    expect(await count(counter, "o200k", "openai-chat", chat("hello world"))).not.toBeNull();
    clock.advance(5 * 60_000);
    expect(await count(counter, "o200k", "openai-chat", chat("hello world"))).not.toBeNull();
    expect(faults).toEqual([]);
  });

  it("counts nothing once it is closed, and lets nobody wait", async () => {
    const counter = counterWith(new FakeClock());
    const running = count(counter, "o200k", "openai-chat", chat("hello world"));
    await counter.close();
    expect(await running).toBeNull();
    expect(await count(counter, "o200k", "openai-chat", chat("hello world"))).toBeNull();
  });
});
