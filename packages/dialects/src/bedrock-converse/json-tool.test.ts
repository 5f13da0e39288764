import { describe, expect, it } from "vitest";

import { gptOss, jsonSchema, nova, opus47, schema, sonnet4, sonnet45, tool, written } from "./request.test-data.ts";

describe("an answer in JSON", () => {
  it("is asked for by Converse's own format where the model has it", () => {
    for (const model of [sonnet45, gptOss, opus47]) {
      const { body, notes } = written({ format: jsonSchema }, model);
      const { outputConfig } = body as {
        outputConfig: { textFormat: { type: string; structure: { jsonSchema: Record<string, string> } } };
      };
      expect(outputConfig.textFormat.type).toBe("json_schema");
      expect(outputConfig.textFormat.structure.jsonSchema.name).toBe("place");
      expect(JSON.parse(outputConfig.textFormat.structure.jsonSchema.schema ?? "")).toEqual({
        type: "object",
        properties: { city: { type: "string" } },
        required: ["city"],
        additionalProperties: false,
      });
      expect(body.toolConfig).toBeUndefined();
      expect(notes).toEqual(["minLength was left out of the schema of the answer"]);
    }
  });

  it("is asked for by a tool that has to be called where it has not", () => {
    for (const model of [sonnet4, nova]) {
      expect(written({ format: jsonSchema }, model)).toMatchObject({
        body: {
          toolConfig: {
            tools: [{ toolSpec: { name: "tuloy_json_answer", inputSchema: { json: schema } } }],
            toolChoice: { tool: { name: "tuloy_json_answer" } },
          },
        },
        notes: [],
      });
    }
    expect(written({ format: jsonSchema, tools: [tool("look")] }, nova).body).toMatchObject({
      toolConfig: {
        tools: [{ toolSpec: { name: "look" } }, { toolSpec: { name: "tuloy_json_answer" } }],
        toolChoice: { any: {} },
      },
    });
  });

  it("without a shape is asked for in words", () => {
    expect(written({ format: { kind: "json" } })).toMatchObject({
      body: { system: [{ text: expect.stringContaining("JSON") }] },
      notes: ["response_format json_object was asked for in words"],
    });
  });
});
