import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { cerebras } from "./cerebras.ts";
import { bodyFor } from "./endpoint.ts";
import { groq } from "./groq.ts";
import { messagesFor } from "./messages.ts";
import { mistral } from "./mistral.ts";
import type { Endpoint, MessageWish } from "./preset.ts";

const wishing = (messages: MessageWish): Endpoint => ({
  dialect: "openai-chat",
  path: "/chat/completions",
  messages,
});

const rewritten = (
  wish: MessageWish,
  value: unknown,
): { readonly messages: unknown; readonly notes: readonly string[] } => {
  const { body, notes } = messagesFor(wishing(wish), Buffer.from(JSON.stringify({ model: "m", messages: value })));
  return { messages: (JSON.parse(body.toString()) as { messages: unknown }).messages, notes };
};

const call = (id: string) => ({ id, type: "function", function: { name: "f", arguments: "{}" } });

describe("messages in a provider's own terms", () => {
  it("lack what it refuses, and a note says so once", () => {
    const sent = [
      { role: "user", name: "ana", content: "Hi" },
      { role: "user", name: "ben", content: "Ho" },
    ];
    expect(rewritten({ without: ["name"] }, sent)).toEqual({
      messages: [
        { role: "user", content: "Hi" },
        { role: "user", content: "Ho" },
      ],
      notes: ["name of messages was left out: it is not taken there"],
    });
  });

  it("have ids of tool calls in its form, the same for a call and its result", () => {
    const { messages, notes } = rewritten({ callIdLength: 9 }, [
      {
        role: "assistant",
        content: null,
        tool_calls: [call("call_VpEm654HvfMoRcrE3Hgdc6"), call("toolu_01x"), call("Abc123def")],
      },
      { role: "tool", tool_call_id: "call_VpEm654HvfMoRcrE3Hgdc6", content: "1" },
      { role: "tool", tool_call_id: "toolu_01x", content: "2" },
      { role: "tool", tool_call_id: "Abc123def", content: "3" },
    ]);
    const [asked, ...results] = messages as [{ tool_calls: { id: string }[] }, ...{ tool_call_id: string }[]];
    const ids = asked.tool_calls.map(({ id }) => id);
    expect(results.map((result) => result.tool_call_id)).toEqual(ids);
    expect(ids[2]).toBe("Abc123def");
    expect(new Set(ids).size).toBe(3);
    for (const id of ids) expect(id).toMatch(/^[a-zA-Z0-9]{9}$/);
    expect(notes).toEqual(["ids of tool calls were replaced: they are not of the form that is taken there"]);
  });

  it("have calls without what it refuses in them, however it takes their ids", () => {
    const signed = { ...call("call_1"), extra_content: { google: { thought_signature: "s" } } };
    expect(rewritten({ callsWithout: ["extra_content"] }, [{ role: "assistant", tool_calls: [signed, null] }])).toEqual(
      {
        messages: [{ role: "assistant", tool_calls: [call("call_1"), null] }],
        notes: ["extra_content of messages was left out: it is not taken there"],
      },
    );
  });

  it.each([
    ["cerebras", cerebras],
    ["groq", groq],
    ["mistral", mistral],
  ])("go to %s without the reasoning of others and without Google's signatures", (_, { endpoints }) => {
    const [endpoint] = endpoints.chat ?? [];
    if (endpoint === undefined) throw new Error("it serves no chat");
    const id = "Abc123def";
    const message = { role: "assistant", content: "I look.", tool_calls: [call(id)] };
    const sent = {
      ...message,
      reasoning_content: "Look.",
      reasoning_details: [{ type: "reasoning.text", text: "Look." }],
      tool_calls: [{ ...call(id), extra_content: { google: { thought_signature: "s" } } }],
    };
    const { body } = messagesFor(endpoint, Buffer.from(JSON.stringify({ messages: [sent] })));
    expect(JSON.parse(body.toString())).toEqual({ messages: [message] });
  });

  it("have reasoning with calls where it is demanded, empty if there is none", () => {
    const calling = { role: "assistant", content: null, tool_calls: [call("c1")] };
    const sent = [{ role: "user", content: "Hi" }, calling, { ...calling, reasoning_content: "Look." }];
    expect(rewritten({ reasoningWithCalls: true }, sent)).toEqual({
      messages: [sent[0], { ...calling, reasoning_content: "" }, sent[2]],
      notes: ["an empty reasoning_content was added to messages with calls: it is demanded there"],
    });
    expect(
      rewritten({ reasoningWithCalls: true }, [sent[0], sent[2], { role: "assistant", content: "Ho" }]).notes,
    ).toEqual([]);
  });

  it.each([
    ["no wish", { dialect: "openai-chat", path: "/x" } as const, '{"messages":[{"role":"user","name":"n"}]}'],
    ["nothing to change", wishing({ without: ["name"], callIdLength: 9 }), '{ "messages": [ {"role":"user"} ] }'],
    ["no list of messages", wishing({ without: ["name"] }), '{"messages":"x"}'],
    ["no JSON", wishing({ without: ["name"] }), "["],
  ])("are the very bytes that were sent where there is %s", (_, endpoint, text) => {
    const body = Buffer.from(text);
    expect(messagesFor(endpoint, body).body).toBe(body);
  });

  it("differ in nothing else, for any messages", () => {
    const message = fc.dictionary(
      fc.constantFrom("role", "content", "name", "__proto__", "x"),
      fc.jsonValue({ maxDepth: 1 }),
    );
    fc.assert(
      fc.property(fc.array(message), (sent) => {
        const { messages } = rewritten({ without: ["name"] }, sent);
        const expected = sent.map((each) => Object.fromEntries(Object.entries(each).filter(([key]) => key !== "name")));
        expect(messages).toEqual(JSON.parse(JSON.stringify(expected)));
      }),
    );
  });

  it("have valid ids for any id, and the same one every time", () => {
    fc.assert(
      fc.property(fc.string(), (id) => {
        const once = rewritten({ callIdLength: 9 }, [{ role: "tool", tool_call_id: id }]).messages;
        expect(once).toEqual(rewritten({ callIdLength: 9 }, [{ role: "tool", tool_call_id: id }]).messages);
        expect(once).toEqual([{ role: "tool", tool_call_id: expect.stringMatching(/^[a-zA-Z0-9]{9}$/) as string }]);
      }),
    );
  });
});

it("Mistral's seed is its random_seed", () => {
  const [endpoint] = mistral.endpoints.chat ?? [];
  if (endpoint === undefined) throw new Error("Mistral serves no chat");
  const sent = { model: "m", seed: 7, stream_options: { include_usage: true }, user: "u", temperature: 0 };
  const body = JSON.parse(bodyFor(endpoint, Buffer.from(JSON.stringify(sent))).toString()) as unknown;
  expect(body).toEqual({ model: "m", random_seed: 7, temperature: 0 });
  const own = bodyFor(endpoint, Buffer.from('{"seed":7,"random_seed":8}')).toString();
  expect(JSON.parse(own)).toEqual({ random_seed: 8 });
});
