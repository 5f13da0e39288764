import { describe, expect, it } from "vitest";

import { anthropicTokenCount } from "./anthropic-messages/count.ts";
import { anthropicMessages } from "./anthropic-messages/dialect.ts";
import type { ClientDialect } from "./client-dialect.ts";
import { openaiChat } from "./openai-chat/dialect.ts";
import { openaiResponses } from "./openai-responses/dialect.ts";
import { isReadRequest } from "./request.ts";

function found(dialect: ClientDialect, fields: object, findStored = true): readonly string[] | null {
  const read = dialect.read(Buffer.from(JSON.stringify({ model: "m", ...fields })), findStored);
  if (!isReadRequest(read)) throw new Error(read.message);
  const { stored } = read.facts;
  return stored === null || stored === undefined ? null : [stored.param, stored.what];
}

const user = (content: unknown): object => ({
  messages: [
    { role: "user", content: "Hi" },
    { role: "user", content },
  ],
});

describe("what a chat request names in an account", () => {
  it.each<[string, object, readonly [string, string]]>([
    ["a file", user([{ type: "file", file: { file_id: "f" } }]), ["messages[1].content[0].file.file_id", "a file"]],
    ["Mistral's file", user([{ type: "file", file_id: "f" }]), ["messages[1].content[0].file_id", "a file"]],
    [
      "Gemini's file",
      user([{ type: "image_url", image_url: { url: "https://generativelanguage.googleapis.com/v1beta/files/x" } }]),
      ["messages[1].content[0].image_url.url", "a file"],
    ],
    [
      "a bucket",
      user([{ type: "image_url", image_url: "gs://b/x.png" }]),
      ["messages[1].content[0].image_url", "a file"],
    ],
    [
      "a file's bucket",
      user([{ type: "file", file: { file_data: "S3://b/x" } }]),
      ["messages[1].content[0].file.file_data", "a file"],
    ],
    [
      "a spoken answer",
      { messages: [{ role: "assistant", audio: { id: "audio_1" } }] },
      ["messages[0].audio.id", "an audio answer"],
    ],
    [
      "a data source under the account's identity",
      {
        messages: [],
        data_sources: [{ parameters: { authentication: { type: "system_assigned_managed_identity" } } }],
      },
      ["data_sources[0]", "a data source"],
    ],
    [
      "Google's cached content",
      { messages: [], extra_body: { google: { cached_content: "cachedContents/1" } } },
      ["extra_body.google.cached_content", "cached content"],
    ],
  ])("is %s", (_, fields, expected) => {
    expect(found(openaiChat, fields)).toEqual(expected);
  });

  it("is found in a large body too", () => {
    const messages = [
      { role: "user", content: "x".repeat(40_000) },
      { role: "assistant", audio: { id: "audio_1" } },
    ];
    expect(found(openaiChat, { messages })).toEqual(["messages[1].audio.id", "an audio answer"]);
  });

  it.each<[string, object]>([
    ["what is sent along", user([{ type: "file", file: { file_data: "data:application/pdf;base64,AAAA" } }])],
    ["bare base64", user([{ type: "file", file: { file_data: "JVBERi0xLjQK" } }])],
    ["an address that is open to all", user([{ type: "image_url", image_url: { url: "https://example.com/x.png" } }])],
    ["what the application calls so in its own data", { ...user("file_id"), metadata: { file_id: "mine" } }],
    ["a tool's parameter", { ...user("x"), tools: [{ function: { parameters: { properties: { file_id: {} } } } }] }],
    [
      "a data source with a key",
      { messages: [], data_sources: [{ parameters: { authentication: { type: "api_key" } } }] },
    ],
  ])("is not %s", (_, fields) => {
    expect(found(openaiChat, fields)).toBeNull();
  });

  it("is looked for only when somebody wants to know", () => {
    expect(found(openaiChat, user([{ type: "file", file: { file_id: "f" } }]), false)).toBeNull();
  });
});

const asked = (content: unknown): object => ({ input: [{ role: "user", content }] });

describe("what a request of the Responses API names in an account", () => {
  it.each<[string, object, readonly [string, string]]>([
    ["a file", asked([{ type: "input_file", file_id: "f" }]), ["input[0].content[0].file_id", "a file"]],
    ["an image", asked([{ type: "input_image", file_id: "f" }]), ["input[0].content[0].file_id", "a file"]],
    [
      "a tool's output",
      { input: [{ type: "function_call_output", output: [{ type: "input_file", file_id: "f" }] }] },
      ["input[0].output[0].file_id", "a file"],
    ],
    ["a screenshot", { input: [{ output: { file_id: "f" } }] }, ["input[0].output.file_id", "a file"]],
    ["a bucket", asked([{ type: "input_file", file_url: "gs://b/x" }]), ["input[0].content[0].file_url", "a file"]],
    ["a prompt", { prompt: { id: "pmpt_1" } }, ["prompt.id", "a prompt"]],
    [
      "a vector store",
      { input: "Hi", tools: [{ type: "file_search", vector_store_ids: ["vs_1"] }] },
      ["tools[0].vector_store_ids", "a vector store"],
    ],
    [
      "a container",
      { input: "Hi", tools: [{ type: "code_interpreter", container: "cntr_1" }] },
      ["tools[0].container", "a container"],
    ],
    [
      "a file for a container",
      { input: "Hi", tools: [{ type: "code_interpreter", container: { type: "auto", file_ids: ["f"] } }] },
      ["tools[0].container.file_ids", "a file"],
    ],
    [
      "a container that an earlier call used",
      { input: [{ type: "code_interpreter_call", container_id: "cntr_1" }] },
      ["input[0].container_id", "a container"],
    ],
    [
      "a shell's container",
      { input: "Hi", tools: [{ type: "shell", environment: { type: "container_reference", container_id: "c" } }] },
      ["tools[0].environment.container_id", "a container"],
    ],
    [
      "a skill",
      { input: "Hi", tools: [{ type: "shell", environment: { skills: [{ skill_id: "s" }] } }] },
      ["tools[0].environment.skills[0].skill_id", "a skill"],
    ],
    [
      "a mask",
      { input: "Hi", tools: [{ type: "image_generation", input_image_mask: { file_id: "f" } }] },
      ["tools[0].input_image_mask.file_id", "a file"],
    ],
  ])("is %s", (_, fields, expected) => {
    expect(found(openaiResponses, fields)).toEqual(expected);
  });

  it.each<[string, object]>([
    ["a text", { input: "file_id" }],
    ["a fresh container", { input: "Hi", tools: [{ type: "code_interpreter", container: { type: "auto" } }] }],
    [
      "a source that an answer cites",
      asked([{ type: "output_text", text: "x", annotations: [{ type: "file_citation", file_id: "f" }] }]),
    ],
    ["a function's arguments", { input: [{ type: "function_call", arguments: '{"file_id":"f"}' }] }],
  ])("is not %s", (_, fields) => {
    expect(found(openaiResponses, fields)).toBeNull();
  });
});

describe("what a request of Anthropic's API names in an account", () => {
  const source = { type: "file", file_id: "f" };

  it.each<[string, object, readonly [string, string]]>([
    ["a document", user([{ type: "document", source }]), ["messages[1].content[0].source.file_id", "a file"]],
    ["an image", user([{ type: "image", source }]), ["messages[1].content[0].source.file_id", "a file"]],
    [
      "an image in a tool's result",
      user([{ type: "tool_result", content: [{ type: "image", source }] }]),
      ["messages[1].content[0].content[0].source.file_id", "a file"],
    ],
    [
      "what is put into a container",
      user([{ type: "container_upload", file_id: "f" }]),
      ["messages[1].content[0].file_id", "a file"],
    ],
    ["a container", { ...user("Hi"), container: "container_1" }, ["container", "a container"]],
    ["a container with skills", { ...user("Hi"), container: { id: "c", skills: [] } }, ["container.id", "a container"]],
    [
      "a skill of the account's own",
      {
        ...user("Hi"),
        container: {
          skills: [
            { type: "anthropic", skill_id: "pdf" },
            { type: "custom", skill_id: "s" },
          ],
        },
      },
      ["container.skills[1].skill_id", "a skill"],
    ],
  ])("is %s", (_, fields, expected) => {
    expect(found(anthropicMessages, fields)).toEqual(expected);
    expect(found(anthropicTokenCount, fields)).toEqual(expected);
  });

  it.each<[string, object]>([
    ["what is sent along", user([{ type: "image", source: { type: "base64", data: "AAAA" } }])],
    ["a tool's input", user([{ type: "tool_use", name: "f", input: { file_id: "f", source: { file_id: "f" } } }])],
    ["a skill that is everybody's", { ...user("Hi"), container: { skills: [{ type: "anthropic", skill_id: "pdf" }] } }],
  ])("is not %s", (_, fields) => {
    expect(found(anthropicMessages, fields)).toBeNull();
  });
});
