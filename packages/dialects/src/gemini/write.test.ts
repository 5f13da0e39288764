import type { ParameterFacts } from "@tuloy/contract";
import { describe, expect, it } from "vitest";

import { SentAnswer } from "../completion/sent.ts";
import { gemini as preset } from "../providers/gemini.ts";
import { gemini } from "./codec.ts";
import { asked, hubOf } from "./written.test-data.ts";

describe("a request for Gemini", () => {
  it("has the conversation, the system prompt apart from it", () => {
    const messages = [
      { role: "system", content: "Be brief." },
      { role: "user", content: "Hi" },
      { role: "assistant", content: "Hello." },
      {
        role: "user",
        content: [
          { type: "text", text: "Who?" },
          { type: "text", text: "" },
        ],
      },
    ];
    expect(asked({ messages })).toEqual({
      body: {
        systemInstruction: { parts: [{ text: "Be brief." }] },
        contents: [
          { role: "user", parts: [{ text: "Hi" }] },
          { role: "model", parts: [{ text: "Hello." }] },
          { role: "user", parts: [{ text: "Who?" }] },
        ],
      },
      notes: [],
    });
  });

  it("has the sampling under other names", () => {
    const { body, notes } = asked({
      max_tokens: 100,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      stop: ["a", "b"],
      seed: 7,
      presence_penalty: 0.1,
      frequency_penalty: 0.2,
    });
    expect(body.generationConfig).toEqual({
      maxOutputTokens: 100,
      temperature: 0.5,
      topP: 0.9,
      topK: 40,
      stopSequences: ["a", "b"],
      seed: 7,
      presencePenalty: 0.1,
      frequencyPenalty: 0.2,
    });
    expect(notes).toEqual([]);
  });

  it("leaves out what the deployment does not take, and says so", () => {
    const parameters: ParameterFacts = {
      takes: null,
      refuses: new Set(preset.refuses),
      modelRefuses: new Set(["seed"]),
      maxStops: 5,
    };
    const { body, notes } = asked({ presence_penalty: 1, seed: 1, temperature: 1 }, "gemini-3-flash", {
      parameters,
    });
    expect(body.generationConfig).toEqual({ temperature: 1 });
    expect(notes).toEqual([
      "seed was left out: it is not taken there",
      "presence_penalty was left out: it is not taken there",
    ]);
    expect(asked({ seed: 2 ** 40 }).notes).toEqual(["seed was left out: it is no 32-bit integer"]);
  });

  it("has images, files and sound as their bytes or their address", () => {
    const content = [
      { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } },
      { type: "image_url", image_url: { url: "https://x.example/a/cat.WEBP?size=1" } },
      { type: "image_url", image_url: { url: "https://x.example/cat" } },
      { type: "input_audio", input_audio: { data: "BBBB", format: "mp3" } },
      { type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,CCCC" } },
    ];
    const { body, notes } = asked({ messages: [{ role: "user", content }] });
    expect(body.contents).toEqual([
      {
        role: "user",
        parts: [
          { inlineData: { mimeType: "image/png", data: "AAAA" } },
          { fileData: { mimeType: "image/webp", fileUri: "https://x.example/a/cat.WEBP?size=1" } },
          { fileData: { mimeType: "image/jpeg", fileUri: "https://x.example/cat" } },
          { inlineData: { mimeType: "audio/mp3", data: "BBBB" } },
          { inlineData: { mimeType: "application/pdf", data: "CCCC" } },
        ],
      },
    ]);
    expect(notes).toEqual(["the type of an image at an address is unknown: image/jpeg was taken"]);
  });

  it("has tools, and how they may be used", () => {
    const tools = [
      {
        type: "function",
        function: {
          name: "weather",
          description: "of a city",
          parameters: { type: "object", properties: { city: { type: "string" } } },
        },
      },
      { type: "function", function: { name: "now", parameters: { type: "object", properties: {} } } },
    ];
    const { body, notes } = asked({ tools, tool_choice: { type: "function", function: { name: "now" } } });
    expect(body.tools).toEqual([
      {
        functionDeclarations: [
          {
            name: "weather",
            description: "of a city",
            parametersJsonSchema: { type: "object", properties: { city: { type: "string" } } },
          },
          { name: "now" },
        ],
      },
    ]);
    expect(body.toolConfig).toEqual({ functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["now"] } });
    expect(notes).toEqual([]);
    for (const [choice, mode] of [
      ["auto", "AUTO"],
      ["none", "NONE"],
      ["required", "ANY"],
    ]) {
      expect(asked({ tools, tool_choice: choice }).body.toolConfig).toEqual({ functionCallingConfig: { mode } });
    }
  });

  it("says what has no words there", () => {
    const strict = {
      type: "function",
      function: {
        name: "f",
        strict: true,
        parameters: { type: "object", properties: { a: { type: "string", pattern: "x", not: {} } } },
      },
    };
    expect(asked({ tools: [strict], parallel_tool_calls: false, user: "u" }).notes).toEqual([
      "parallel_tool_calls was left out: there may be several calls",
      "user was left out",
      "strict was left out of tools",
      "tools[0]: told in descriptions only: pattern",
      "tools[0]: left out of the schema: not",
    ]);
  });

  it("can't have a tool whose name would have to be changed, or more stops than there is room for", () => {
    const tool = (name: string) => hubOf({ tools: [{ type: "function", function: { name } }] });
    expect(gemini.obstacle?.(tool("get-weather.v2"))).toBeNull();
    expect(gemini.obstacle?.(hubOf({ stop: ["a", "b", "c", "d", "e"] }))).toBeNull();
    expect(gemini.obstacle?.(hubOf({ stop: ["a", "b", "c", "d", "e", "f"] }))).toBe("takes at most 5 stop sequences");
    expect(gemini.obstacle?.(tool("2fast"))).toBe(
      "takes no tool whose name does not begin with a letter or an underscore",
    );
  });
});

describe("the form of an answer", () => {
  const schema = { type: "object", properties: { a: { type: "string" } }, required: ["a"] };
  const response_format = { type: "json_schema", json_schema: { name: "x", schema } };
  const tools = [{ type: "function", function: { name: "f" } }];

  it("is JSON, by a schema or by none", () => {
    expect(asked({ response_format }).body.generationConfig).toEqual({
      responseMimeType: "application/json",
      responseJsonSchema: schema,
    });
    expect(asked({ response_format: { type: "json_object" } }).body.generationConfig).toEqual({
      responseMimeType: "application/json",
    });
  });

  it("goes with tools since Gemini 3, and is asked for in words before", () => {
    expect(asked({ response_format, tools }).body.generationConfig).toHaveProperty("responseJsonSchema");
    const { body, notes } = asked({ response_format, tools }, "gemini-2.5-flash");
    expect(body.generationConfig).toBeUndefined();
    expect(JSON.stringify(body.systemInstruction)).toContain(JSON.stringify(JSON.stringify(schema)).slice(1, -1));
    expect(notes).toEqual([
      "response_format was asked for in the system prompt: the model takes no schema beside tools",
    ]);
  });
});

describe("reasoning", () => {
  it.each([
    ["gemini-3-flash", "minimal", { thinkingLevel: "MINIMAL" }, null],
    ["gemini-3-flash", "medium", { thinkingLevel: "MEDIUM" }, null],
    [
      "gemini-3-flash",
      "none",
      { thinkingLevel: "MINIMAL" },
      "reasoning cannot be switched off there: it was set to minimal",
    ],
    ["gemini-3-pro-preview", "medium", { thinkingLevel: "HIGH" }, "reasoning effort medium was sent as high"],
    ["gemini-3.1-pro-preview", "medium", { thinkingLevel: "MEDIUM" }, null],
    ["gemini-3.1-pro-preview", "minimal", { thinkingLevel: "LOW" }, "reasoning effort minimal was sent as low"],
    ["gemini-3.8-flash", "xhigh", { thinkingLevel: "HIGH" }, "reasoning effort xhigh was sent as high"],
    ["gemini-flash-latest", "low", { thinkingLevel: "LOW" }, null],
    ["gemini-2.5-flash", "low", { thinkingBudget: 1024 }, null],
    ["gemini-2.5-flash", "none", { thinkingBudget: 0 }, null],
    ["gemini-2.5-flash", "xhigh", { thinkingBudget: 24_576 }, null],
    [
      "gemini-2.5-pro",
      "none",
      { thinkingBudget: 128 },
      "reasoning cannot be switched off there: it was limited to 128 tokens",
    ],
    ["gemini-2.0-flash", "high", undefined, "reasoning was left out: the model has none"],
    ["gemini-2.0-flash", "none", undefined, null],
  ])("of %s at effort %s", (model, reasoning_effort, thinkingConfig, note) => {
    const { body, notes } = asked({ reasoning_effort }, model);
    expect(body.generationConfig).toEqual(thinkingConfig === undefined ? undefined : { thinkingConfig });
    expect(notes).toEqual(note === null ? [] : [note]);
  });

  it("has a budget where the model has, in the model's bounds, and is shown on demand", () => {
    const reasoning = (max_tokens: number) => ({ reasoning: { max_tokens, exclude: false } });
    const budget = (model: string, tokens: number) => asked(reasoning(tokens), model);
    expect(budget("gemini-2.5-flash-lite", 2000).body.generationConfig).toEqual({
      thinkingConfig: { thinkingBudget: 2000, includeThoughts: true },
    });
    expect(budget("gemini-2.5-flash-lite", 100).notes).toEqual(["a reasoning budget of 100 tokens was sent as 512"]);
    expect(budget("gemini-3-flash", 9000).body.generationConfig).toEqual({
      thinkingConfig: { thinkingLevel: "MEDIUM", includeThoughts: true },
    });
  });
});

it("asks softly for the rest of an answer, within what is left of the limit", () => {
  const sent = new SentAnswer();
  for (const word of ["It ", "was ", "a dark"]) sent.add(0, "text", word);
  const { body } = gemini.write(hubOf({ max_tokens: 10, temperature: 1 }), {
    model: "gemini-3-flash",
    canonicalModel: "gemini-3-flash",
    preset,
    outputTokens: null,
    parameters: null,
  });
  const continued = JSON.parse(gemini.continueRequest(body, sent, null).toString("utf8"));
  expect(continued.contents.slice(0, 2)).toEqual([
    { role: "user", parts: [{ text: "Hi" }] },
    { role: "model", parts: [{ text: "It was a dark" }] },
  ]);
  expect(continued.contents[2].parts[0].text).toContain('"It was a dark"');
  expect(continued.generationConfig).toEqual({ maxOutputTokens: 7, temperature: 1 });
});
