import { describe, expect, it } from "vitest";

import type { HubMessage, HubPart, HubRequest } from "../hub/request.ts";
import { vertex } from "../providers/vertex.ts";
import { asked, hubOf, written } from "./written.test-data.ts";

const noCache = { cache: null };

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
