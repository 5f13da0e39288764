import { describe, expect, it } from "vitest";

import { anthropicClient } from "../anthropic-messages/codec.ts";
import { bedrockConverse } from "../bedrock-converse/codec.ts";
import { chatClient, chatUpstream } from "../openai-chat/codec.ts";
import { openaiChat } from "../openai-chat/dialect.ts";
import { isReadRequest, type ReadRequest } from "../request.ts";
import type { ClientCodec, UpstreamCodec } from "./codec.ts";
import { writeTarget } from "./hub.test-data.ts";
import { completingLaneFor, laneFor, laneObstacle } from "./lane.ts";
import { isTranslated, translatedNotes, translationOf } from "./translation.ts";

function read(fields: object): ReadRequest {
  const request = openaiChat.read(Buffer.from(JSON.stringify({ model: "m", messages: [], ...fields })));
  if (!isReadRequest(request)) throw new Error(request.message);
  return request;
}

const somewhere = { endpoint: null, model: ["m"] };

const said = (content: unknown): object => ({ messages: [{ role: "user", content }] });

describe("the lane to a deployment", () => {
  it("is express where it speaks the client's dialect, wherever that stands among its own", () => {
    for (const dialects of [["openai-chat"], ["gemini", "openai-chat"]] as const) {
      expect(laneFor("openai-chat", { dialects })).toEqual({ kind: "express", dialect: "openai-chat" });
    }
  });

  it("is the same every time, so that a request makes nothing", () => {
    const spoken = { dialects: ["openai-embeddings"] } as const;
    expect(laneFor("openai-embeddings", spoken)).toBe(laneFor("openai-embeddings", { ...spoken }));
  });

  it("is not there where nothing translates", () => {
    const vectors = { dialects: ["openai-embeddings"] } as const;
    expect(laneFor("openai-chat", vectors)).toBeNull();
    expect(laneObstacle("openai-chat", vectors, null, [])).toBe(
      "the request is in openai-chat, which is not translated into openai-embeddings",
    );
  });

  it("is closed to what the other dialect has no words for, and express to nothing", () => {
    const chat = { dialects: ["openai-chat"] } as const;
    const translate = {
      kind: "translate",
      dialect: "openai-chat",
      client: chatClient,
      upstream: chatUpstream,
    } as const;
    expect(laneObstacle("gemini", chat, translate, ["tools", "images"])).toBeNull();
    expect(laneObstacle("gemini", chat, translate, ["tools", "n"])).toBe(
      "the request uses n, and this deployment speaks openai-chat, which has no words for it",
    );
    expect(laneObstacle("openai-chat", chat, laneFor("openai-chat", chat), ["n", "logprobs"])).toBeNull();
  });

  it("of a chat stream that is completed is express, since its own watch completes it", () => {
    expect(completingLaneFor("openai-chat", { dialects: ["openai-chat"] })?.kind).toBe("express");
  });
});

describe("a request on its way into another dialect", () => {
  const other: UpstreamCodec = { ...chatUpstream, dialect: "gemini" };

  it("is put into the hub once, however many deployments it is written for", () => {
    let times = 0;
    const counting: ClientCodec = {
      ...chatClient,
      toHub: (body) => {
        times++;
        return chatClient.toHub(body);
      },
    };
    const translation = translationOf(read(said("x")), counting);
    expect(translation.obstacle(other, somewhere)).toBeNull();
    for (const model of ["one", "two"]) {
      const body: unknown = JSON.parse(translation.write(other, writeTarget({ model }), model).toString());
      expect(body).toMatchObject({ model, messages: [{ role: "user", content: "x" }] });
    }
    expect(times).toBe(1);
  });

  it("is known by the request, with what each deployment was not told", () => {
    const request = read({ ...said("x"), verbosity: "low", reasoning: { enabled: false } });
    expect(isTranslated(request)).toBe(false);
    const translation = translationOf(request, chatClient);
    expect(translationOf(request, chatClient)).toBe(translation);
    translation.write(other, writeTarget(), "a/m");
    expect(isTranslated(request)).toBe(true);
    expect(translatedNotes(request, "a/m")).toEqual([
      "verbosity was left out: the deployment speaks gemini",
      expect.stringContaining("reasoning is unwanted"),
    ]);
    expect(translatedNotes(request, "b/m")).toBeNull();
  });

  it("can't leave its own dialect with what only that can say", () => {
    const obstacle = translationOf(read({ ...said("x"), functions: [{ name: "f" }] }), chatClient).obstacle(
      other,
      somewhere,
    );
    expect(obstacle).toBe(
      "the request can't be put into another dialect: functions is the old form of tools; use tools",
    );
  });

  it("can't bring a file along that is kept at a provider of another dialect, also inside a tool's result", () => {
    const file = { type: "file", file: { file_id: "file-1" } };
    for (const messages of [
      [{ role: "user", content: [file] }],
      [{ role: "tool", tool_call_id: "a", content: [file] }],
    ]) {
      const translation = translationOf(read({ messages }), chatClient);
      expect(translation.obstacle(other, somewhere)).toContain("a file that is kept at a provider of another dialect");
      expect(translation.obstacle({ ...chatUpstream, dialect: "openai-responses" }, somewhere)).toBeNull();
    }
  });

  it("can't be told in what its content needs", () => {
    const blind: UpstreamCodec = { ...other, obstacle: () => "takes no images by URL" };
    expect(translationOf(read(said("x")), chatClient).obstacle(blind, somewhere)).toBe(
      "this deployment speaks gemini, which takes no images by URL",
    );
  });

  it("that begins its answer is told only to who goes on from there", () => {
    const begun = {
      messages: [
        { role: "user", content: "x" },
        { role: "assistant", content: "{" },
      ],
    };
    const goesTo = (client: ClientCodec, ...model: readonly string[]): boolean =>
      translationOf(read(begun), client).obstacle(bedrockConverse, { endpoint: null, model }) === null;
    expect(goesTo(anthropicClient, "llama-3.3-70b", "us.meta.llama3-3-70b-instruct-v1:0")).toBe(false);
    expect(goesTo(anthropicClient, "nova-pro", "amazon.nova-pro-v1:0")).toBe(false);
    expect(goesTo(anthropicClient, "claude-sonnet-4-6", "eu.anthropic.claude-sonnet-4-6")).toBe(false);
    expect(goesTo(anthropicClient, "claude-sonnet-4-5", "an-arn")).toBe(true);
    expect(goesTo(anthropicClient, "my-own", "anthropic.claude-sonnet-4-5-20250929-v1:0")).toBe(true);
    expect(goesTo(chatClient, "llama-3.3-70b", "us.meta.llama3-3-70b-instruct-v1:0")).toBe(true);
  });

  it("is not told to who takes no tool of such a name, as far as that is known", () => {
    const obstacle = (name: string, longest: number | null): string | null => {
      const tools = [
        { type: "function", function: { name: "f" } },
        { type: "function", function: { name } },
      ];
      const endpoint = {
        dialect: "gemini",
        path: "/",
        ...(longest === null ? {} : { longestToolName: longest }),
      } as const;
      return translationOf(read({ ...said("x"), tools }), chatClient).obstacle(other, { endpoint, model: [] });
    };
    for (const name of ["a.b", "ä", "", "a b", "f\n", "x".repeat(65)]) {
      expect(obstacle(name, 64)).toContain("takes only tools whose names are at most 64");
      expect(obstacle(name, null)).toBeNull();
    }
    expect([obstacle("mcp__a-B_9", 64), obstacle("x".repeat(64), 64), obstacle("x".repeat(65), 128)]).toEqual([
      null,
      null,
      null,
    ]);
  });
});
