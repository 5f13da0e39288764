import { describe, expect, it } from "vitest";

import type { HubMessage } from "../hub/request.ts";
import { openaiCompatible } from "../providers/openai-compatible.ts";
import { writeSignature } from "./opaque.ts";
import { written } from "./request.test-data.ts";
import { readMessagesRequest } from "./request.ts";

describe("thinking in the middle of a turn of calls", () => {
  const call = { kind: "tool_call", id: "t1", name: "weather", arguments: "{}", cache: null } as const;
  const result = {
    kind: "tool_result",
    callId: "t1",
    name: "weather",
    parts: [],
    isError: false,
    cache: null,
  } as const;
  const said = { kind: "text", text: "Hi", cache: null } as const;
  const signed = {
    kind: "thought",
    text: "Look.",
    opaque: { dialect: "anthropic-messages", data: "sig" },
    redacted: false,
    id: null,
    cache: null,
  } as const;
  const reasoning = { enabled: true, effort: "high", budget: null, shown: null };
  const turn = (...began: readonly HubMessage["parts"][number][]): readonly HubMessage[] => [
    { role: "user", parts: [said] },
    { role: "assistant", parts: [...began, call] },
    { role: "user", parts: [result] },
  ];
  const limits = { maxTokens: 32_000, reasoning };

  it("is not asked for where the turn began at another provider, which is refused with 400", () => {
    const { body, notes } = written({ ...limits, messages: turn() });
    expect(body.thinking).toBeUndefined();
    expect(notes.join()).toContain("reasoning was left out: the turn of calls");
    // Nor where only a later step of the turn has a thought of its own.
    const later = [...turn(), { role: "assistant", parts: [signed, call] }, { role: "user", parts: [result] }] as const;
    expect(written({ ...limits, messages: later }).body.thinking).toBeUndefined();
  });

  it("is asked for where it began with a signed thought, where the turn is over, and of models that do not mind", () => {
    expect(written({ ...limits, messages: turn(signed) }).body.thinking).toMatchObject({ type: "enabled" });
    const over = [...turn(), { role: "assistant", parts: [said] }, { role: "user", parts: [said] }] as const;
    expect(written({ ...limits, messages: over }).body.thinking).toMatchObject({ type: "enabled" });
    expect(written({ ...limits, messages: turn() }, "claude-sonnet-4-6").body.thinking).toMatchObject({
      type: "adaptive",
    });
  });

  it("is not asked of models that can't, or are known not to take the wish", () => {
    const { body, notes } = written(limits, "claude-3-5-haiku");
    expect([body.thinking, notes]).toEqual([undefined, ["reasoning was left out: this model does not take the wish"]]);
    const facts = {
      takes: null,
      refuses: new Set(["reasoning_effort", "reasoning"]),
      modelRefuses: new Set<string>(),
      maxStops: null,
    };
    expect(written(limits, "claude-sonnet-4-5", { parameters: facts }).body.thinking).toBeUndefined();
  });

  it("goes with thoughts that another provider signed, on the way to Anthropic's own", () => {
    const messages = [
      { role: "user", content: "Hi" },
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "Look.", signature: writeSignature({ dialect: "gemini", data: "x" }) },
          { type: "tool_use", id: "t1", name: "weather", input: {} },
        ],
      },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "t1", content: "31 °C" }] },
    ];
    const sent = (thinking: object): [unknown, readonly string[]] => {
      const body = { model: "m", max_tokens: 9000, thinking, messages };
      const read = readMessagesRequest(Buffer.from(JSON.stringify(body)));
      if ("code" in read) throw new Error(read.message);
      const encoded: unknown = JSON.parse(read.encode("m", openaiCompatible).toString());
      return [(encoded as { thinking?: unknown }).thinking, read.withheld ?? []];
    };
    const [byBudget, why] = sent({ type: "enabled", budget_tokens: 2000 });
    expect(byBudget).toBeUndefined();
    expect(why.join()).toContain("thinking was left out");
    expect(sent({ type: "adaptive" })[0]).toEqual({ type: "adaptive" });
  });
});
