import { describe, expect, it } from "vitest";

import type { HubPart, HubRequest } from "../hub/request.ts";
import { assistant, llama, nova, tool, toolCall, toolResult, user, written } from "./request.test-data.ts";

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
    expect(notes).toEqual([
      "text of nothing but white space was left out: it is refused there",
      "a first turn of the user was put before the assistant's",
      "white space at the end of the begun answer was left out: it is refused there",
    ]);
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
