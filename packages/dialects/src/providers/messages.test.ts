import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { readChatRequest } from "../openai-chat/request.ts";
import { isReadRequest } from "../request.ts";
import { cerebras } from "./cerebras.ts";
import { fitted } from "./fitted.ts";
import { groq } from "./groq.ts";
import { messagesFor } from "./messages.ts";
import { mistral } from "./mistral.ts";
import { openai } from "./openai.ts";
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
    ["openai", openai],
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

  it("have ids of tool calls no longer than is taken there, the same for a call and its result", () => {
    const long = `chatcmpl-tool-${"7".repeat(32)}`;
    const { messages, notes } = rewritten({ longestCallId: 40 }, [
      { role: "assistant", content: null, tool_calls: [call(long), call("call_1")] },
      { role: "tool", tool_call_id: long, content: "1" },
      { role: "tool", tool_call_id: "call_1", content: "2" },
    ]);
    const short: unknown = expect.stringMatching(/^call_[0-9a-f]{35}$/);
    expect(messages).toEqual([
      { role: "assistant", content: null, tool_calls: [call(short as string), call("call_1")] },
      { role: "tool", tool_call_id: short, content: "1" },
      { role: "tool", tool_call_id: "call_1", content: "2" },
    ]);
    const [asked, result] = messages as [{ tool_calls: { id: string }[] }, { tool_call_id: string }];
    expect(result.tool_call_id).toBe(asked.tool_calls[0]?.id);
    expect(notes).toEqual(["ids of tool calls were replaced: they are not of the form that is taken there"]);
  });

  it("have parts without what it refuses in them", () => {
    const marked = { type: "text", text: "Hi", cache_control: { type: "ephemeral" } };
    expect(rewritten({ partsWithout: ["cache_control"] }, [{ role: "user", content: [marked, null, "x"] }])).toEqual({
      messages: [{ role: "user", content: [{ type: "text", text: "Hi" }, null, "x"] }],
      notes: ["cache_control of messages was left out: it is not taken there"],
    });
  });

  const id = fc.oneof(fc.constantFrom("call_1", "Abc123def", "x".repeat(41)), fc.string({ maxLength: 50 }), fc.nat());
  const part = fc.dictionary(fc.constantFrom("type", "text", "cache_control", "image_url"), fc.string());
  const anyCall = fc.record({ id, function: fc.constant({}), index: fc.nat(), extra_content: fc.string() }, {});
  const anyMessage = fc.oneof(
    fc.record(
      {
        role: fc.constantFrom("assistant", "tool", "user"),
        content: fc.oneof(fc.string(), fc.array(fc.oneof(part, fc.constant(null)), { maxLength: 2 })),
        name: fc.string(),
        reasoning_content: fc.string(),
        __proto__: fc.string(),
        tool_call_id: id,
        tool_calls: fc.oneof(fc.array(fc.oneof(anyCall, fc.constant(null)), { maxLength: 2 }), fc.constant(null)),
      },
      { requiredKeys: [] },
    ),
    fc.constantFrom(null, 1, "x"),
  );
  const wish = fc.record<MessageWish>(
    {
      without: fc.subarray(["name", "reasoning_content", "__proto__"]),
      callsWithout: fc.subarray(["index", "extra_content"]),
      partsWithout: fc.subarray(["cache_control"]),
      callIdLength: fc.constant(9),
      longestCallId: fc.constant(40),
      reasoningWithCalls: fc.constant(true),
    },
    { requiredKeys: [] },
  );

  it("are the same whether their traits are known or not, in a small body and in a large one", () => {
    let changed = 0;
    fc.assert(
      fc.property(fc.array(anyMessage, { maxLength: 4 }), wish, fc.boolean(), (sent, wanted, large) => {
        const user = large ? "lorem ipsum ".repeat(2000) : "u";
        const body = Buffer.from(JSON.stringify({ model: "m", messages: sent, user }));
        const request = readChatRequest(body);
        if (!isReadRequest(request)) throw new Error("the body is not accepted");
        const known = messagesFor(wishing(wanted), body, request.messageTraits);
        const unknown = messagesFor(wishing(wanted), body);
        expect([known.body.toString(), known.notes]).toEqual([unknown.body.toString(), unknown.notes]);
        if (unknown.body !== body) changed += 1;
      }),
      { numRuns: 500 },
    );
    expect(changed).toBeGreaterThan(100);
  });

  it("are not looked at where it is known that they are plain", () => {
    const [endpoint] = openai.endpoints.chat ?? [];
    if (endpoint === undefined) throw new Error("it serves no chat");
    const plain = (messages: unknown): unknown => {
      const request = readChatRequest(Buffer.from(JSON.stringify({ model: "m", messages })));
      return isReadRequest(request) ? request.messageTraits : request;
    };
    expect(
      plain([
        { role: "system", content: "s" },
        { role: "user", content: [{ type: "text", text: "t" }] },
      ]),
    ).toBeNull();
    expect(fitted(endpoint, Buffer.from("unread"), null)).toBeNull();
  });
});
