import { describe, expect, it } from "vitest";

import { assistant, nova, schema, tool, toolCall, toolResult, user, written } from "./request.test-data.ts";

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
