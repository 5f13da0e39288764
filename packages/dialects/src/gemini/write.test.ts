import type { ParameterFacts } from "@tuloy/contract";
import { describe, expect, it } from "vitest";

import { SentAnswer } from "../completion/sent.ts";
import type { HubMessage, HubPart, HubRequest } from "../hub/request.ts";
import { chatClient } from "../openai-chat/codec.ts";
import { gemini as preset } from "../providers/gemini.ts";
import { vertex } from "../providers/vertex.ts";
import { gemini } from "./codec.ts";

function hubOf(request: object): HubRequest {
  const hub = chatClient.toHub(
    Buffer.from(JSON.stringify({ model: "", messages: [{ role: "user", content: "Hi" }], ...request })),
  );
  if ("code" in hub) throw new Error(hub.message);
  return hub;
}

interface Written {
  readonly body: {
    readonly contents: readonly { readonly role: string; readonly parts: readonly unknown[] }[];
    readonly [member: string]: unknown;
  };
  readonly notes: readonly string[];
}

function written(request: HubRequest, model = "gemini-3-flash", more: object = {}): Written {
  const { body, notes } = gemini.write(request, {
    model,
    canonicalModel: model,
    preset,
    outputTokens: null,
    parameters: null,
    substitute: false,
    ...more,
  });
  return { body: JSON.parse(body.toString("utf8")), notes };
}

/** What a chat request becomes. */
function asked(request: object, model?: string, more?: object): Written {
  return written(hubOf(request), model, more);
}

const noCache = { cache: null };

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
      substitute: true,
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
      "schema of the tool f: pattern stand in descriptions only",
      "schema of the tool f: not were left out",
    ]);
  });

  it("can't have a tool whose name would have to be changed", () => {
    const tool = (name: string) => hubOf({ tools: [{ type: "function", function: { name } }] });
    expect(gemini.obstacle?.(tool("get-weather.v2"))).toBeNull();
    expect(gemini.obstacle?.(tool("2fast"))).toBe(
      "takes no tool whose name does not begin with a letter or an underscore",
    );
  });
});

describe("calls and results for Gemini", () => {
  const messages = [
    { role: "user", content: "Weather and time?" },
    {
      role: "assistant",
      content: "Let me see.",
      tool_calls: [
        { id: "call_a", type: "function", function: { name: "weather", arguments: '{"city":"Manila"}' } },
        { id: "call_b", type: "function", function: { name: "time", arguments: "" } },
      ],
    },
    { role: "tool", tool_call_id: "call_a", content: "rain" },
    { role: "tool", tool_call_id: "call_b", content: '{"hour":12345678901234567890}' },
    { role: "user", content: "And?" },
  ];

  it("belong to steps: calls in one content, their results in the next and nothing else", () => {
    expect(asked({ messages }).body.contents).toEqual([
      { role: "user", parts: [{ text: "Weather and time?" }] },
      {
        role: "model",
        parts: [
          { text: "Let me see." },
          {
            functionCall: { id: "call_a", name: "weather", args: { city: "Manila" } },
            thoughtSignature: "skip_thought_signature_validator",
          },
          { functionCall: { id: "call_b", name: "time", args: {} } },
        ],
      },
      {
        role: "user",
        parts: [
          { functionResponse: { id: "call_a", name: "weather", response: { output: "rain" } } },
          { functionResponse: { id: "call_b", name: "time", response: { output: '{"hour":12345678901234567890}' } } },
        ],
      },
      { role: "user", parts: [{ text: "And?" }] },
    ]);
  });

  it("have neither ids nor stand-ins before Gemini 3", () => {
    const text = JSON.stringify(asked({ messages }, "gemini-2.5-pro").body.contents);
    expect(text).not.toContain("call_a");
    expect(text).not.toContain("thoughtSignature");
  });

  it("say what went wrong under another name, and give media along", () => {
    const result: HubPart = {
      kind: "tool_result",
      callId: "c",
      name: null,
      isError: true,
      ...noCache,
      parts: [
        { kind: "text", text: "no", ...noCache },
        { kind: "image", source: { at: "inline", mediaType: "image/png", data: "AAAA" }, detail: null, ...noCache },
      ],
    };
    const call: HubPart = { kind: "tool_call", id: "c", name: "shot", arguments: "[1]", ...noCache };
    const request = conversation([call], [result]);
    const image = { inlineData: { mimeType: "image/png", data: "AAAA" } };
    const { body, notes } = written(request);
    expect(body.contents.at(-1)).toEqual({
      role: "user",
      parts: [{ functionResponse: { id: "c", name: "shot", response: { error: "no" }, parts: [image] } }],
    });
    expect(notes).toEqual(["a call's arguments were no JSON object, and were sent as text"]);
    expect(written(request, "gemini-2.5-flash").body.contents.slice(-2)).toEqual([
      { role: "user", parts: [{ functionResponse: { name: "shot", response: { error: "no" } } }] },
      { role: "user", parts: [image] },
    ]);
  });
});

/** A conversation that ends with an answer and what came back for it. */
function conversation(answer: readonly HubPart[], results: readonly HubPart[] = []): HubRequest {
  const messages: HubMessage[] = [
    { role: "user", parts: [{ kind: "text", text: "Go", cache: null }] },
    { role: "assistant", parts: answer },
    ...(results.length === 0 ? [] : [{ role: "user" as const, parts: results }]),
  ];
  return { ...hubOf({}), messages };
}

describe("a thought signature", () => {
  const signed = (data: string, text = "", dialect: "gemini" | "anthropic-messages" = "gemini"): HubPart => ({
    kind: "thought",
    text,
    opaque: { dialect, data },
    redacted: false,
    id: null,
    cache: null,
  });
  const text: HubPart = { kind: "text", text: "Yes.", cache: null };
  const call: HubPart = { kind: "tool_call", id: "c", name: "f", arguments: "{}", cache: null };
  const answerOf = (parts: readonly HubPart[], more: object = {}) => {
    const { body, notes } = written(conversation(parts), "gemini-3-flash", more);
    return { parts: body.contents.at(-1)?.parts, notes };
  };

  it("goes back unchanged to where it was made", () => {
    const { parts } = answerOf([{ ...call, opaque: { dialect: "gemini", data: "gemini:c2ln" } }]);
    expect(parts).toEqual([{ functionCall: { id: "c", name: "f", args: {} }, thoughtSignature: "c2ln" }]);
  });

  it("is replaced by the stand-in where it was made elsewhere, though the model be the same", () => {
    const made = { ...call, opaque: { dialect: "gemini" as const, data: "gemini:c2ln" } };
    const { parts } = answerOf([made], { preset: vertex });
    expect(parts).toEqual([
      { functionCall: { id: "c", name: "f", args: {} }, thoughtSignature: "skip_thought_signature_validator" },
    ]);
  });

  it("that a client has from Google itself is taken for the provider's own", () => {
    const { parts } = answerOf([{ ...call, opaque: { dialect: "gemini", data: "c2ln" } }], { preset: vertex });
    expect(parts).toEqual([{ functionCall: { id: "c", name: "f", args: {} }, thoughtSignature: "c2ln" }]);
  });

  it("stands on the text or call that it came on, whether a client keeps it before or behind", () => {
    const onText = [{ text: "Yes.", thoughtSignature: "c2ln" }];
    expect(answerOf([signed("gemini:c2ln"), text]).parts).toEqual(onText);
    expect(answerOf([text, signed("gemini:c2ln")]).parts).toEqual(onText);
    expect(answerOf([text, signed("gemini:c2ln"), call]).parts).toEqual([
      { text: "Yes." },
      { functionCall: { id: "c", name: "f", args: {} }, thoughtSignature: "c2ln" },
    ]);
    expect(answerOf([signed("gemini:c2ln", "Hm."), text]).parts).toEqual([{ text: "Hm.", thought: true }, ...onText]);
    expect(answerOf([signed("gemini:c2ln")]).parts).toEqual([{ text: "", thoughtSignature: "c2ln" }]);
  });

  it("of others is left out, with the thought", () => {
    const left = ["reasoning of earlier turns was left out: only who made it takes it back"];
    expect(answerOf([signed("c2ln", "Hm.", "anthropic-messages"), text])).toEqual({
      parts: [{ text: "Yes." }],
      notes: left,
    });
    expect(answerOf([signed("vertex:c2ln"), text])).toEqual({ parts: [{ text: "Yes." }], notes: left });
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
    substitute: false,
  });
  const continued = JSON.parse(gemini.continueRequest(body, sent, null).toString("utf8"));
  expect(continued.contents.slice(0, 2)).toEqual([
    { role: "user", parts: [{ text: "Hi" }] },
    { role: "model", parts: [{ text: "It was a dark" }] },
  ]);
  expect(continued.contents[2].parts[0].text).toContain('"It was a dark"');
  expect(continued.generationConfig).toEqual({ maxOutputTokens: 7, temperature: 1 });
});
