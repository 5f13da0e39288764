import { describe, expect, it } from "vitest";

import type { HubPart, HubRequest } from "../hub/request.ts";
import { bedrockConverse } from "./codec.ts";
import {
  assistant,
  llama,
  nova,
  opus47,
  profile,
  request,
  sonnet45,
  target,
  text,
  tool,
  toolCall,
  toolResult,
  user,
  written,
} from "./request.test-data.ts";

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
    expect(notes).toEqual(["text of nothing but white space was left out: it is refused there"]);
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
