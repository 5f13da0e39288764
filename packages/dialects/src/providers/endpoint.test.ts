import { describe, expect, it } from "vitest";

import { dialectsFor, endpointFor, pathOf } from "./endpoint.ts";
import type { Endpoint } from "./preset.ts";

const claude: Endpoint = { dialect: "anthropic-messages", path: "/a/{model}", idPrefix: "claude-" };
const gemini: Endpoint = { dialect: "gemini", path: "/g/{model}:once", streamPath: "/g/{model}:stream?alt=sse" };
const chat: Endpoint = { dialect: "openai-chat", path: "/chat/completions" };
const preset = { endpoints: { chat: [claude, gemini, chat] } };

describe("an endpoint", () => {
  it("is found by operation, dialect and the beginning of the id", () => {
    expect(endpointFor(preset, "chat", "anthropic-messages", "claude-x")).toBe(claude);
    expect(endpointFor(preset, "chat", "anthropic-messages", "gemini-x")).toBeNull();
    expect(endpointFor(preset, "chat", "openai-chat", "gemini-x")).toBe(chat);
    expect(endpointFor(preset, "embeddings", "openai-embeddings", "x")).toBeNull();
  });

  it("lends its dialect to the ids it takes, in the preset's order and each once", () => {
    expect(dialectsFor(preset, "chat", "claude-x")).toEqual(["anthropic-messages", "gemini", "openai-chat"]);
    expect(dialectsFor({ endpoints: { chat: [chat, gemini, chat] } }, "chat", "x")).toEqual(["openai-chat", "gemini"]);
    expect(dialectsFor(preset, "embeddings", "x")).toEqual([]);
  });

  it("has the id in its path as one segment, whatever is in it", () => {
    expect(pathOf(gemini, "a/b:c?d $&", false)).toBe("/g/a%2Fb%3Ac%3Fd%20%24%26:once");
    expect(pathOf(gemini, "m", true)).toBe("/g/m:stream?alt=sse");
    expect(pathOf(chat, "m", true)).toBe("/chat/completions");
  });
});
