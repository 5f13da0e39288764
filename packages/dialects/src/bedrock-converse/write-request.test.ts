import { describe, expect, it } from "vitest";

import type { HubPart, HubReasoning, HubRequest } from "../hub/request.ts";
import { bedrockConverse } from "./codec.ts";
import { assistant, request, sonnet45, target, text, tool, toolCall, toolResult, user } from "./request.test-data.ts";

const nova = "us.amazon.nova-pro-v1:0";
const nova2 = "us.amazon.nova-2-lite-v1:0";
const opus47 = "anthropic.claude-opus-4-7";
const sonnet4 = "anthropic.claude-sonnet-4-20250514-v1:0";
const gptOss = "openai.gpt-oss-120b-1:0";
const llama = "meta.llama3-3-70b-instruct-v1:0";
const profile = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/abc";

function written(
  more: Partial<HubRequest> = {},
  model?: string,
): { body: Record<string, unknown>; notes: readonly string[] } {
  const { body, notes } = bedrockConverse.write(request(more), target(model));
  return { body: JSON.parse(body.toString()) as Record<string, unknown>, notes };
}

const schema = { type: "object", properties: { city: { type: "string", minLength: 2 } }, required: ["city"] };
const jsonSchema = { kind: "json_schema" as const, name: "place", description: null, schema, strict: true };
const thinking = (more: Partial<HubReasoning> = {}): HubReasoning => ({
  enabled: true,
  effort: null,
  budget: null,
  shown: null,
  ...more,
});

describe("a plain request", () => {
  it("is its messages alone", () => {
    expect(written()).toEqual({ body: { messages: [{ role: "user", content: [{ text: "Hello." }] }] }, notes: [] });
  });

  it("has its system prompt and its limits in their places", () => {
    const { body, notes } = written({
      system: [text("Be brief."), text(" "), text("Be kind.")],
      maxTokens: 100,
      temperature: 0.5,
      stop: ["END"],
    });
    expect(body).toMatchObject({
      system: [{ text: "Be brief." }, { text: "Be kind." }],
      inferenceConfig: { maxTokens: 100, temperature: 0.5, stopSequences: ["END"] },
      additionalModelResponseFieldPaths: ["/stop_sequence"],
    });
    expect(notes).toEqual([]);
  });

  it("tells what Converse has no words for", () => {
    const { body, notes } = written({
      seed: 1,
      presencePenalty: 0.5,
      frequencyPenalty: 0,
      user: "u",
    });
    expect(Object.keys(body)).toEqual(["messages"]);
    expect(notes).toEqual(["seed", "presence_penalty", "user"].map((name) => `${name} was left out`));
  });

  it.each([
    [sonnet45, { top_k: 5 }],
    [nova, { inferenceConfig: { topK: 5 } }],
    ["mistral.mistral-large-2402-v1:0", { top_k: 5 }],
    ["cohere.command-r-plus-v1:0", { k: 5 }],
    [profile, undefined],
    [llama, undefined],
  ])("to %s has top_k where the model has it", (model, fields) => {
    const { body, notes } = written({ topK: 5 }, model);
    expect(body.additionalModelRequestFields).toEqual(fields);
    expect(notes).toEqual(fields === undefined ? ["top_k was left out"] : []);
  });

  it("goes by the canonical name where the id is an ARN that says nothing", () => {
    const { body } = bedrockConverse.write(
      request({ topK: 5 }),
      target(profile, { canonicalModel: "claude-sonnet-4-5" }),
    );
    expect(JSON.parse(body.toString())).toMatchObject({ additionalModelRequestFields: { top_k: 5 } });
  });

  it("keeps to what the model takes of sampling", () => {
    expect(written({ temperature: 1.5 }, nova)).toMatchObject({
      body: { inferenceConfig: { temperature: 1 } },
      notes: ["temperature was lowered to 1"],
    });
    expect(written({ temperature: 0.5, topP: 0.9 })).toMatchObject({
      body: { inferenceConfig: { temperature: 0.5 } },
      notes: ["top_p was left out"],
    });
    expect(written({ temperature: 0.5, topP: 0.9 }, nova).body.inferenceConfig).toEqual({
      temperature: 0.5,
      topP: 0.9,
    });
    expect(written({ temperature: 0.5, topP: 0.9, topK: 3 }, opus47)).toEqual({
      body: { messages: [{ role: "user", content: [{ text: "Hello." }] }] },
      notes: ["temperature was left out", "top_p was left out", "top_k was left out"],
    });
  });
});

describe("what a deployment is known not to take", () => {
  it("is left out, and noted", () => {
    const parameters = {
      takes: new Set(["max_tokens"]),
      refuses: new Set<string>(),
      modelRefuses: new Set<string>(),
      maxStops: null,
    };
    const asked = request({ maxTokens: 5, temperature: 0.5, stop: ["x"] });
    const { body, notes } = bedrockConverse.write(asked, target(undefined, { parameters }));
    expect(JSON.parse(body.toString())).toMatchObject({ inferenceConfig: { maxTokens: 5, stopSequences: ["x"] } });
    expect(notes).toEqual(["temperature was left out: it is not taken there"]);
  });
});

describe("messages", () => {
  it("alternate, begin with the user and hold no white space alone", () => {
    const { body, notes } = written({
      messages: [assistant("Hi."), assistant("  ", "There."), user("\n"), user("a"), user("b"), assistant("So ")],
    });
    expect(body.messages).toEqual([
      { role: "user", content: [{ text: "…" }] },
      { role: "assistant", content: [{ text: "Hi." }, { text: "There." }] },
      { role: "user", content: [{ text: "a" }, { text: "b" }] },
      { role: "assistant", content: [{ text: "So" }] },
    ]);
    expect(notes).toEqual(["a first turn of the user was put before the assistant's"]);
  });

  it("have images and documents as bytes, and no two documents of one name", () => {
    const image: HubPart = {
      kind: "image",
      source: { at: "inline", mediaType: "image/jpg", data: "aW1n" },
      detail: null,
      cache: null,
    };
    const file = (name: string | null, mediaType = "application/pdf"): HubPart => ({
      kind: "file",
      source: { at: "inline", mediaType, data: "cGRm" },
      name,
      cache: null,
    });
    const { body, notes } = written({
      messages: [
        user(
          image,
          file("Übersicht: Q1_2026.pdf"),
          file("a/b.md", "text/markdown; charset=utf-8"),
          file(null),
          file(null),
        ),
      ],
    });
    const document = (name: string, format = "pdf"): unknown => ({
      document: { format, name, source: { bytes: "cGRm" } },
    });
    expect(body.messages).toEqual([
      {
        role: "user",
        content: [
          { image: { format: "jpeg", source: { bytes: "aW1n" } } },
          document("Ubersicht Q1 2026"),
          document("a b", "md"),
          document("document"),
          document("document 2"),
          { text: "(a document)" },
        ],
      },
    ]);
    expect(notes).toEqual([]);
  });

  it("have calls and their results, in the turn after and before all else in it", () => {
    const { body } = written({
      tools: [tool("look")],
      messages: [
        user("Where?"),
        assistant("I look.", toolCall("call_1", "look", '{"at":"x"}'), toolCall("call 2|é", "look", "")),
        user(toolResult("call_1", "here")),
        user("Well?", toolResult("call 2|é")),
      ],
    });
    const odd = /^[a-zA-Z0-9_-]{1,64}$/;
    const [, called, result] = body.messages as { content: { toolUse?: { toolUseId: string } }[] }[];
    const id = called?.content[2]?.toolUse?.toolUseId ?? "";
    expect(id).toMatch(odd);
    expect(called?.content).toEqual([
      { text: "I look." },
      { toolUse: { toolUseId: "call_1", name: "look", input: { at: "x" } } },
      { toolUse: { toolUseId: id, name: "look", input: {} } },
    ]);
    expect(result?.content).toEqual([
      { toolResult: { toolUseId: "call_1", content: [{ text: "here" }] } },
      { toolResult: { toolUseId: id, content: [{ text: "(no output)" }] } },
      { text: "Well?" },
    ]);
  });

  it("tell that a tool failed where the model can be told", () => {
    const messages = [user("?"), assistant(toolCall("a", "look")), user({ ...toolResult("a", "gone"), isError: true })];
    const failed = written({ messages, tools: [tool("look")] });
    expect((failed.body.messages as unknown[]).at(-1)).toEqual({
      role: "user",
      content: [{ toolResult: { toolUseId: "a", content: [{ text: "gone" }], status: "error" } }],
    });
    expect(written({ messages, tools: [tool("look")] }, llama).notes).toEqual(["that a tool failed was left out"]);
  });

  it("keep arguments that are no JSON, and names that objects inherit", () => {
    const { body, notes } = written({
      tools: [tool("look")],
      messages: [
        user("?"),
        assistant(toolCall("a", "look", '{"half'), toolCall("b", "look", '{"__proto__":{"x":1}}')),
        user(toolResult("a", "1"), toolResult("b", "2")),
      ],
    });
    expect(JSON.stringify(body.messages)).toContain('"input":{"text":"{\\"half"}');
    expect(JSON.stringify(body.messages)).toContain('"input":{"__proto__":{"x":1}}');
    expect(notes).toEqual(["the arguments of an earlier call of look are no JSON object"]);
  });

  it("give thoughts back to Claude where Claude signed them, and to nobody else", () => {
    const thought = (dialect: "anthropic-messages" | "bedrock-converse" | "gemini", redacted = false): HubPart => ({
      kind: "thought",
      text: redacted ? "" : "Hm.",
      opaque: { dialect, data: `by ${dialect}` },
      redacted,
      id: null,
      cache: null,
    });
    const messages = (...parts: HubPart[]): HubRequest["messages"] => [
      user("?"),
      assistant(...parts, "Yes."),
      user("Sure?"),
    ];
    const signed = (data: string): unknown => ({
      reasoningContent: { reasoningText: { text: "Hm.", signature: data } },
    });
    const given = (parts: HubPart[], model?: string): unknown =>
      (written({ messages: messages(...parts) }, model).body.messages as { content: unknown[] }[])[1]?.content;
    expect(given([thought("anthropic-messages")])).toEqual([signed("by anthropic-messages"), { text: "Yes." }]);
    expect(given([thought("bedrock-converse")])).toEqual([signed("by bedrock-converse"), { text: "Yes." }]);
    const shown = (data: string): unknown =>
      given([
        {
          kind: "thought",
          text: "",
          opaque: { dialect: "bedrock-converse", data },
          redacted: true,
          id: null,
          cache: null,
        },
      ]);
    const redacted = [{ reasoningContent: { redactedContent: "cmVk" } }, { text: "Yes." }];
    // As a chat client keeps it, and as one of Anthropic's does.
    expect(shown("tuloy:bedrock-converse::redacted:cmVk")).toEqual(redacted);
    expect(shown("redacted:cmVk")).toEqual(redacted);
    // A signature whose thought is not shown, which chat clients keep alike.
    expect(shown("c2ln")).toEqual([
      { reasoningContent: { reasoningText: { text: "", signature: "c2ln" } } },
      { text: "Yes." },
    ]);
    for (const part of [
      thought("gemini"),
      thought("anthropic-messages", true),
      { ...thought("gemini"), opaque: null } as HubPart,
    ]) {
      expect(given([part])).toEqual([{ text: "Yes." }]);
      expect(written({ messages: messages(part) }).notes).toEqual(["reasoning of earlier turns was left out"]);
    }
    expect(given([thought("bedrock-converse")], nova)).toEqual([{ text: "Yes." }]);
  });
});

describe("tools", () => {
  it("have names, descriptions and schemas; a choice only where one is made", () => {
    const { body, notes } = written({ tools: [tool("look"), tool("now", { description: "", parameters: null })] });
    expect(body.toolConfig).toEqual({
      tools: [
        { toolSpec: { name: "look", description: "does look", inputSchema: { json: tool("x").parameters } } },
        { toolSpec: { name: "now", inputSchema: { json: { type: "object", properties: {} } } } },
      ],
    });
    expect(notes).toEqual([]);
  });

  it.each([
    [{ kind: "auto" as const }, undefined],
    [{ kind: "required" as const }, { any: {} }],
    [{ kind: "tool" as const, name: "look" }, { tool: { name: "look" } }],
  ])("are chosen by %j", (toolChoice, choice) => {
    expect(
      (written({ tools: [tool("look")], toolChoice }).body.toolConfig as { toolChoice: unknown }).toolChoice,
    ).toEqual(choice);
  });

  it("are none where none may be called, unless they were called before", () => {
    const toolChoice = { kind: "none" as const };
    expect(written({ tools: [tool("look")], toolChoice })).toMatchObject({ notes: [] });
    expect(written({ tools: [tool("look")], toolChoice }).body.toolConfig).toBeUndefined();
    const messages = [user("?"), assistant(toolCall("a", "look")), user(toolResult("a", "here"))];
    const { body, notes } = written({ tools: [tool("look")], toolChoice, messages });
    expect(body.toolConfig).toMatchObject({ tools: [{ toolSpec: { name: "look" } }] });
    expect(notes).toEqual(["tool_choice none was left out: tools were called before, and can be again"]);
  });

  it("stay declared where earlier turns called them and this one has none", () => {
    const messages = [user("?"), assistant(toolCall("a", "look")), user(toolResult("a", "here"))];
    expect(written({ messages }).body.toolConfig).toEqual({
      tools: [{ toolSpec: { name: "look", inputSchema: { json: { type: "object", properties: {} } } } }],
    });
  });

  it("are strict where the model knows it", () => {
    const strict = tool("look", { strict: true, parameters: schema });
    expect(written({ tools: [strict] })).toMatchObject({
      body: {
        toolConfig: { tools: [{ toolSpec: { strict: true, inputSchema: { json: { additionalProperties: false } } } }] },
      },
      notes: ["minLength was left out of the schema of look"],
    });
    expect(written({ tools: [strict] }, nova)).toMatchObject({
      body: { toolConfig: { tools: [{ toolSpec: { inputSchema: { json: schema } } }] } },
      notes: ["strict was left out of the tools"],
    });
  });

  it("may not be told to come one at a time", () => {
    expect(written({ tools: [tool("look")], parallelToolCalls: false }).notes).toEqual([
      "parallel_tool_calls: false was left out",
    ]);
  });
});

describe("prompt-cache marks", () => {
  const cache = { ttl: null };
  const marked = {
    system: [text("a", { cache })],
    tools: [tool("look", { cache })],
    messages: [user(text("b", { cache: { ttl: "1h" } }))],
  };

  it("stand behind what they are about", () => {
    const { body, notes } = written(marked);
    expect(body).toMatchObject({
      system: [{ text: "a" }, { cachePoint: { type: "default" } }],
      messages: [{ content: [{ text: "b" }, { cachePoint: { type: "default", ttl: "1h" } }] }],
      toolConfig: { tools: [{ toolSpec: { name: "look" } }, { cachePoint: { type: "default" } }] },
    });
    expect(notes).toEqual([]);
  });

  it("are told only what they know", () => {
    expect(written(marked, nova)).toMatchObject({
      body: {
        messages: [{ content: [{ text: "b" }, { cachePoint: { type: "default" } }] }],
        toolConfig: { tools: [{}] },
      },
      notes: ["the prompt cache keeps for less than 1h", "prompt-cache marks were left out of the tools"],
    });
    expect(written(marked, llama)).toMatchObject({
      body: { system: [{ text: "a" }], messages: [{ content: [{ text: "b" }] }] },
      notes: ["prompt-cache marks were left out"],
    });
  });
});

describe("an answer in JSON", () => {
  it("is asked for by Converse's own format where the model has it", () => {
    for (const model of [sonnet45, gptOss, opus47]) {
      const { body, notes } = written({ format: jsonSchema }, model);
      const { outputConfig } = body as {
        outputConfig: { textFormat: { type: string; structure: { jsonSchema: Record<string, string> } } };
      };
      expect(outputConfig.textFormat.type).toBe("json_schema");
      expect(outputConfig.textFormat.structure.jsonSchema.name).toBe("place");
      expect(JSON.parse(outputConfig.textFormat.structure.jsonSchema.schema ?? "")).toEqual({
        type: "object",
        properties: { city: { type: "string" } },
        required: ["city"],
        additionalProperties: false,
      });
      expect(body.toolConfig).toBeUndefined();
      expect(notes).toEqual(["minLength was left out of the schema of the answer"]);
    }
  });

  it("is asked for by a tool that has to be called where it has not", () => {
    for (const model of [sonnet4, nova]) {
      expect(written({ format: jsonSchema }, model)).toMatchObject({
        body: {
          toolConfig: {
            tools: [{ toolSpec: { name: "tuloy_json_answer", inputSchema: { json: schema } } }],
            toolChoice: { tool: { name: "tuloy_json_answer" } },
          },
        },
        notes: [],
      });
    }
    expect(written({ format: jsonSchema, tools: [tool("look")] }, nova).body).toMatchObject({
      toolConfig: {
        tools: [{ toolSpec: { name: "look" } }, { toolSpec: { name: "tuloy_json_answer" } }],
        toolChoice: { any: {} },
      },
    });
  });

  it("without a shape is asked for in words", () => {
    expect(written({ format: { kind: "json" } })).toMatchObject({
      body: { system: [{ text: expect.stringContaining("JSON") }] },
      notes: ["response_format json_object was asked for in words"],
    });
  });
});

describe("reasoning", () => {
  it("is a budget for Claude before 4.6, less than the answer may be long", () => {
    const fields = (more: Partial<HubRequest>): unknown => written(more).body.additionalModelRequestFields;
    expect(fields({ reasoning: thinking({ budget: 5000 }), maxTokens: 10_000 })).toEqual({
      thinking: { type: "enabled", budget_tokens: 5000 },
    });
    expect(fields({ reasoning: thinking({ effort: "high" }), maxTokens: 4000 })).toEqual({
      thinking: { type: "enabled", budget_tokens: 3999 },
    });
    expect(fields({ reasoning: thinking({ effort: "minimal" }) })).toEqual({
      thinking: { type: "enabled", budget_tokens: 1024 },
    });
    expect(written({ reasoning: thinking(), maxTokens: 1000 })).toMatchObject({
      body: { inferenceConfig: { maxTokens: 1000 } },
      notes: ["reasoning was left out: max_tokens leaves less than 1024 tokens for it"],
    });
  });

  it("leaves no room for sampling", () => {
    expect(written({ reasoning: thinking(), temperature: 0.3, topK: 4 })).toEqual({
      body: {
        messages: [{ role: "user", content: [{ text: "Hello." }] }],
        additionalModelRequestFields: { thinking: { type: "enabled", budget_tokens: 8192 } },
      },
      notes: ["temperature was left out", "top_k was left out"],
    });
  });

  it("is an effort for Claude since 4.6", () => {
    expect(written({ reasoning: thinking({ effort: "xhigh", shown: true }) }, opus47).body).toMatchObject({
      additionalModelRequestFields: { thinking: { type: "adaptive", display: "summarized" } },
      outputConfig: { effort: "xhigh" },
    });
    expect(written({ reasoning: thinking({ effort: "xhigh" }) }, "anthropic.claude-sonnet-4-6").body).toMatchObject({
      additionalModelRequestFields: { thinking: { type: "adaptive" } },
      outputConfig: { effort: "high" },
    });
    expect(written({ reasoning: thinking({ budget: 2000 }), format: jsonSchema }, opus47).body).toMatchObject({
      outputConfig: { effort: "low", textFormat: { type: "json_schema" } },
    });
    expect(written({ reasoning: thinking() }, opus47).body.outputConfig).toBeUndefined();
  });

  it("can be turned off, but not everywhere", () => {
    const off = thinking({ enabled: false });
    expect(written({ reasoning: off }).body.additionalModelRequestFields).toBeUndefined();
    expect(written({ reasoning: off }, opus47).body.additionalModelRequestFields).toEqual({
      thinking: { type: "disabled" },
    });
    expect(written({ reasoning: off }, "anthropic.claude-fable-5").notes).toEqual([
      "reasoning was left out: this model always reasons",
    ]);
  });

  it("gives way to a tool that has to be called", () => {
    const toolChoice = { kind: "required" as const };
    for (const model of [sonnet45, opus47]) {
      expect(written({ reasoning: thinking(), tools: [tool("look")], toolChoice }, model)).toMatchObject({
        body: { toolConfig: { toolChoice: { any: {} } } },
        notes: ["reasoning was left out: this model does not think when it has to call a tool"],
      });
    }
  });

  it("does not begin in the middle of a turn whose calls have no signed thought", () => {
    const asked = { reasoning: thinking(), tools: [tool("look")] };
    const called = [user("?"), assistant(toolCall("a", "look")), user(toolResult("a", "here"))];
    expect(written({ ...asked, messages: called }).notes).toEqual([
      "reasoning was left out: the turn that it is in began without a signed thought",
    ]);
    const signed: HubPart = {
      kind: "thought",
      text: "Hm.",
      opaque: { dialect: "anthropic-messages", data: "s" },
      redacted: false,
      id: null,
      cache: null,
    };
    const thoughtful = [user("?"), assistant(signed, toolCall("a", "look")), user(toolResult("a", "here"))];
    expect(written({ ...asked, messages: thoughtful }).notes).toEqual([]);
    expect(written({ ...asked, messages: [...called, assistant("Here."), user("And now?")] }).notes).toEqual([]);
    expect(written({ ...asked, messages: called }, opus47).notes).toEqual([]);
  });

  it("is said to others in their own words, or not", () => {
    expect(written({ reasoning: thinking({ effort: "xhigh" }) }, gptOss).body.additionalModelRequestFields).toEqual({
      reasoning_effort: "high",
    });
    expect(written({ reasoning: thinking({ effort: "medium" }) }, nova2).body.additionalModelRequestFields).toEqual({
      reasoningConfig: { type: "enabled", maxReasoningEffort: "medium" },
    });
    for (const model of [nova, llama]) {
      expect(written({ reasoning: thinking() }, model).notes).toEqual([
        "reasoning was left out: this model has no setting for it",
      ]);
    }
  });
});

describe("what can't be said", () => {
  const image = (url: string): HubPart => ({ kind: "image", source: { at: "url", url }, detail: null, cache: null });

  it("is a picture that would have to be fetched, wherever it stands", () => {
    const obstacle = (more: Partial<HubRequest>): string | null => bedrockConverse.obstacle?.(request(more)) ?? null;
    expect(obstacle({})).toBeNull();
    expect(obstacle({ messages: [user(image("https://x.example/a.png"))] })).toBe("takes no images by URL");
    expect(
      obstacle({ messages: [user("?"), assistant(toolCall("a", "b")), user(toolResult("a", image("https://x/")))] }),
    ).toBe("takes no images by URL");
    const tiff: HubPart = {
      kind: "image",
      source: { at: "inline", mediaType: "image/tiff", data: "" },
      detail: null,
      cache: null,
    };
    expect(obstacle({ messages: [user(tiff)] })).toBe("takes no images of the type image/tiff");
    const zip: HubPart = {
      kind: "file",
      source: { at: "inline", mediaType: "application/zip", data: "" },
      name: null,
      cache: null,
    };
    expect(obstacle({ messages: [user(zip)] })).toBe("takes no files of the type application/zip");
  });
});

describe("a model", () => {
  it.each([
    ["claude-sonnet-4-5", "assistant-prefix"],
    ["claude-3-5-haiku", "assistant-prefix"],
    ["claude-opus-4-6", "none"],
    ["claude-sonnet-5", "none"],
    ["nova-pro", "none"],
  ])("%s goes on with a broken answer: %s", (model, way) => {
    expect(bedrockConverse.continues?.(model)).toBe(way);
  });
});
