import { describe, expect, it } from "vitest";

import type { HubPart, HubRequest } from "../hub/request.ts";
import {
  assistant,
  gptOss,
  jsonSchema,
  llama,
  nova,
  nova2,
  opus47,
  sonnet45,
  thinking,
  tool,
  toolCall,
  toolResult,
  user,
  written,
} from "./request.test-data.ts";

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
