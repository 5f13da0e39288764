import { describe, expect, it } from "vitest";

import { anthropicUpstream } from "../anthropic-messages/codec.ts";
import { messagesToHub } from "../anthropic-messages/hub-request.ts";
import { bedrockConverse } from "../bedrock-converse/codec.ts";
import { gemini } from "../gemini/codec.ts";
import { chatUpstream } from "../openai-chat/codec.ts";
import { responsesUpstream } from "../openai-responses/codec.ts";
import { deepseek } from "../providers/deepseek.ts";
import { moonshot } from "../providers/moonshot.ts";
import { openai } from "../providers/openai.ts";
import type { UpstreamCodec } from "./codec.ts";
import { writeTarget } from "./hub.test-data.ts";
import type { HubRequest } from "./request.ts";

/** As Claude Code asks: more tokens than most models give, a user's id of 150 characters, ids of calls that another server made. */
function asked(user: string, call: string, maxTokens = 32_000): HubRequest {
  const body = {
    model: "m",
    max_tokens: maxTokens,
    metadata: { user_id: user },
    messages: [
      { role: "user", content: "Hi" },
      { role: "assistant", content: [{ type: "tool_use", id: call, name: "f", input: {} }] },
      { role: "user", content: [{ type: "tool_result", tool_use_id: call, content: "1" }] },
    ],
  };
  const hub = messagesToHub(Buffer.from(JSON.stringify(body)));
  if ("code" in hub) throw new Error(hub.message);
  return hub;
}

function sent(codec: UpstreamCodec, request: HubRequest, outputTokens: number | null = 16_384): [string, string] {
  const { body, notes } = codec.write(request, writeTarget({ outputTokens }));
  return [body.toString(), notes.join("\n")];
}

const long = "u".repeat(150);

describe("what another dialect's client says at length", () => {
  it.each([
    ["chat", chatUpstream, '"max_tokens":16384'],
    ["responses", responsesUpstream, '"max_output_tokens":16384'],
    ["anthropic", anthropicUpstream, '"max_tokens":16384'],
    ["gemini", gemini, '"maxOutputTokens":16384'],
    ["bedrock", bedrockConverse, '"maxTokens":16384'],
  ] as const)("asks %s for no longer an answer than there is, with a note", (_name, codec, limit) => {
    const [body, notes] = sent(codec, asked("u", "t1"));
    expect(body).toContain(limit);
    expect(notes).toContain("max_tokens was lowered to 16384");
    const [whole, nothing] = sent(codec, asked("u", "t1", 16_384));
    expect([whole.includes(limit), nothing.includes("max_tokens")]).toEqual([true, false]);
    expect(sent(codec, asked("u", "t1"), null)[0]).toContain("32000");
  });

  it.each([
    ["chat", chatUpstream, 40],
    ["responses", responsesUpstream, 64],
  ] as const)("is cut to what OpenAI takes: %s", (_name, codec, longest) => {
    const ids = (call: string): string[] =>
      [...sent(codec, asked(long, call))[0].matchAll(/"(?:id|tool_call_id|call_id)":"([^"]*)"/g)].map(
        ([, id]) => id ?? "",
      );
    const one = ids("a".repeat(65));
    expect(one).toHaveLength(2);
    expect(one[0]).toBe(one[1]);
    expect(one[0]).toHaveLength(longest);
    expect(ids("b".repeat(65))[0]).not.toBe(one[0]);
    expect(ids("t1")).toEqual(["t1", "t1"]);

    const user = (id: string): unknown => (JSON.parse(sent(codec, asked(id, "t1"))[0]) as { user: unknown }).user;
    expect(user(long)).toHaveLength(64);
    expect([user(long), user("me")]).toEqual([user(long), "me"]);
    expect(user(`${long}2`)).not.toBe(user(long));
    expect(sent(codec, asked(long, "t1"))[1]).toContain("user was sent as a digest");
  });

  it("asks for reasoning by the name and in the form that is taken", () => {
    const request = { ...asked("u", "t1"), reasoning: { enabled: true, effort: "high", budget: null, shown: null } };
    const facts = {
      takes: new Set(["reasoning"]),
      refuses: new Set<string>(),
      modelRefuses: new Set<string>(),
      maxStops: null,
    };
    const written = (parameters: typeof facts | null): unknown =>
      JSON.parse(chatUpstream.write(request, writeTarget({ parameters })).body.toString());
    expect(written(null)).toMatchObject({ reasoning_effort: "high" });
    expect(written(facts)).toMatchObject({ reasoning: { effort: "high" } });
  });

  it.each([
    ["gpt-4o", "high", undefined],
    ["gpt-4.1-mini", "low", undefined],
    ["gpt-5", "xhigh", "high"],
    ["gpt-5", "minimal", "minimal"],
    ["gpt-5.1", "minimal", "low"],
    ["gpt-5.2", "xhigh", "xhigh"],
    ["o3", "xhigh", "high"],
    ["qwen3-32b", "xhigh", "high"],
    ["qwen3-32b", "medium", "medium"],
  ])("asks %s for effort %s as far as it knows it", (canonicalModel, effort, taken) => {
    const request = { ...asked("u", "t1"), reasoning: { enabled: true, effort, budget: null, shown: null } };
    for (const codec of [chatUpstream, responsesUpstream]) {
      const { body, notes } = codec.write(request, writeTarget({ canonicalModel }));
      const sentBody = JSON.parse(body.toString()) as { reasoning_effort?: string; reasoning?: { effort?: string } };
      expect(sentBody.reasoning_effort ?? sentBody.reasoning?.effort).toBe(taken);
      expect(notes.some((note) => note.includes("reasoning"))).toBe(taken !== effort);
    }
  });

  it.each([
    [deepseek, "Look."],
    [moonshot, "Look."],
    [openai, undefined],
  ])("gives reasoning back with calls to who demands it, and to nobody else: $kind", (preset, given) => {
    const request = asked("u", "t1");
    const thought = { kind: "thought", text: "Look.", opaque: null, redacted: false, id: null, cache: null } as const;
    const messages = request.messages.map((message) =>
      message.role === "assistant" ? { ...message, parts: [thought, ...message.parts] } : message,
    );
    const { body, notes } = chatUpstream.write({ ...request, messages }, writeTarget({ preset }));
    const written = (JSON.parse(body.toString()) as { messages: { reasoning_content?: string }[] }).messages;
    expect(written[1]?.reasoning_content).toBe(given);
    expect(notes.join().includes("earlier reasoning was left out")).toBe(given === undefined);
  });
});
