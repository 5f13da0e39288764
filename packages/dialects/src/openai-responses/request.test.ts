import { describe, expect, it } from "vitest";

import { isReadRequest, type ReadRequest } from "../request.ts";
import { openai } from "../providers/openai.ts";
import { carry } from "./carried.ts";
import { readResponsesRequest } from "./request.ts";

function read(fields: Record<string, unknown>): ReadRequest {
  const result = readResponsesRequest(Buffer.from(JSON.stringify({ model: "m", ...fields })));
  if (!isReadRequest(result)) throw new Error(result.message);
  return result;
}

function refused(fields: Record<string, unknown>): { message: string; param: string | null } {
  const result = readResponsesRequest(Buffer.from(JSON.stringify({ model: "m", ...fields })));
  if (isReadRequest(result)) throw new Error("it was read");
  return result;
}

const sent = (request: ReadRequest, model: string): Record<string, unknown> =>
  JSON.parse(request.encode(model, openai).toString()) as Record<string, unknown>;

describe("a request of the Responses API", () => {
  it("is the client's own bytes where nothing has to change", () => {
    const body = Buffer.from('{ "model":"m" , "input":"Hi", "unknown": [1] }');
    const request = readResponsesRequest(body);
    expect(isReadRequest(request) && request.encode("m", openai)).toBe(body);
    expect(isReadRequest(request) && request.encode("up", openai).toString()).toBe(
      '{ "model":"up" , "input":"Hi", "unknown": [1] }',
    );
  });

  it("says what routing needs to know", () => {
    const content = [
      { type: "input_text", text: "What is it?" },
      { type: "input_image", image_url: `data:image/png;base64,${"A".repeat(40_000)}` },
      { type: "input_file", file_data: "B".repeat(40_000) },
    ];
    const { facts } = read({
      input: [{ role: "user", content }],
      tools: [{ type: "function", name: "f" }],
      text: { format: { type: "json_schema", name: "s", schema: {} } },
      reasoning: { effort: "high" },
      max_output_tokens: 300,
      prompt_cache_key: "session",
      temperature: 0,
      stream: true,
    });
    expect(facts).toMatchObject({
      stream: true,
      capabilities: ["tools", "images", "files", "json_schema"],
      maxOutputTokens: 300,
      highEffort: true,
      session: "session",
      parameters: ["temperature"],
      bound: null,
    });
    // An image and a file count by themselves, not by their bytes.
    expect(facts.inputTokens).toBeGreaterThan(3000);
    expect(facts.inputTokens).toBeLessThan(3200);
  });

  it("names everything that it goes on from", () => {
    const input = [
      { type: "item_reference", id: "msg_1" },
      { role: "user", content: "Go on." },
    ];
    const { facts } = read({ previous_response_id: "resp_1", input, background: true });
    expect(facts.bound).toMatchObject({ param: "previous_response_id", kept: ["resp_1", "msg_1"] });
    expect(read({ conversation: { id: "conv_1" } }).facts.bound?.kept).toEqual(["conv_1"]);
    expect(read({ input, background: true }).facts.bound?.kept).toEqual(["msg_1"]);
  });

  it.each([
    ["without a type", [{ id: "msg_1" }, { id: "rs_1", type: null }], ["msg_1", "rs_1"]],
    [
      "behind an item that only this API has",
      [{ type: "web_search_call" }, { type: "item_reference", id: "x" }],
      ["x"],
    ],
    ["as an image that is not sent along", [{ type: "image_generation_call", id: "ig_1" }], ["ig_1"]],
    ["never as what is sent whole", [{ type: "image_generation_call", id: "ig_1", result: "AAAA" }], []],
    [
      "never as a message",
      [
        { id: "msg_1", role: "user", content: "Hi" },
        { id: "m", role: "user" },
      ],
      undefined,
    ],
  ])("finds references to items %s", (_, input, kept) => {
    expect(read({ input }).facts.bound?.kept).toEqual(kept);
  });

  it("gives no deployment of this API what only another could read, and keeps it for those", () => {
    const own = { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "gAAA" };
    const signed = carry({ dialect: "anthropic-messages", data: "sig" }, "thought");
    const foreign = { type: "reasoning", id: "rs_tuloy_x_0", summary: [], encrypted_content: signed };
    const unsigned = { type: "reasoning", id: "rs_tuloy_x_1", summary: [] };
    const request = read({ input: [own, foreign, unsigned, { role: "user", content: "Hi" }] });
    expect(sent(request, "up").input).toEqual([own, { role: "user", content: "Hi" }]);
    expect(request.withheld).toEqual(["reasoning of earlier turns was left out: only its own provider takes it back"]);
    expect(sent(request, "").input).toEqual([own, foreign, unsigned, { role: "user", content: "Hi" }]);
  });

  it.each([
    [{}, "input", "missing"],
    [{ input: 7 }, "input", "a number"],
    [{ input: "Hi", stream: "yes" }, "stream", "a string"],
  ])("is refused where it is wrong: %j", (fields, param, words) => {
    const error = refused(fields);
    expect(error.param).toBe(param);
    expect(error.message).toContain(words);
  });
});
