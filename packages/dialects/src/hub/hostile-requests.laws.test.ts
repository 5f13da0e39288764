import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { anthropicMessages } from "../anthropic-messages/dialect.ts";
import type { ClientDialect } from "../client-dialect.ts";
import { openaiChat } from "../openai-chat/dialect.ts";
import { openaiResponses } from "../openai-responses/dialect.ts";
import { isReadRequest } from "../request.ts";
import { clientCodec, upstreamCodec } from "./codecs.ts";
import { hostile, valuesIn } from "./hostile.test-data.ts";
import { writeTarget } from "./hub.test-data.ts";
import { Translation } from "./translation.ts";
import { upstreams } from "./wires.test-data.ts";

const schema = { type: "object", properties: { a: { type: "string", enum: ["x"] } }, required: ["a"] };
const image = "data:image/png;base64,aGk=";

/** Requests with one of everything that the dialect has. */
const requests: readonly (readonly [ClientDialect, object])[] = [
  [
    openaiChat,
    {
      model: "m",
      messages: [
        { role: "system", content: "Be brief." },
        {
          role: "user",
          content: [
            { type: "text", text: "What?" },
            { type: "image_url", image_url: { url: image, detail: "low" } },
            { type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,aGk=" } },
          ],
        },
        {
          role: "assistant",
          content: null,
          reasoning_details: [{ type: "reasoning.text", text: "Hm.", signature: "s", index: 0 }],
          tool_calls: [{ id: "c1", type: "function", function: { name: "f", arguments: '{"a":"x"}' } }],
        },
        { role: "tool", tool_call_id: "c1", content: [{ type: "text", text: "done" }] },
        { role: "user", content: "And?" },
      ],
      tools: [{ type: "function", function: { name: "f", description: "d", parameters: schema, strict: true } }],
      tool_choice: { type: "function", function: { name: "f" } },
      parallel_tool_calls: false,
      response_format: { type: "json_schema", json_schema: { name: "n", schema, strict: true } },
      reasoning_effort: "low",
      max_completion_tokens: 100,
      stop: ["."],
      temperature: 0.5,
      stream: true,
      stream_options: { include_usage: true },
      metadata: { a: "b" },
    },
  ],
  [
    openaiResponses,
    {
      model: "m",
      instructions: "Be brief.",
      input: [
        {
          role: "user",
          content: [
            { type: "input_text", text: "What?" },
            { type: "input_image", image_url: image, detail: "low" },
            { type: "input_file", filename: "a.pdf", file_data: "data:application/pdf;base64,aGk=" },
          ],
        },
        { type: "reasoning", id: "rs_1", summary: [{ type: "summary_text", text: "Hm." }], encrypted_content: "e" },
        { type: "function_call", id: "fc_1", call_id: "c1", name: "f", arguments: '{"a":"x"}' },
        { type: "function_call_output", call_id: "c1", output: [{ type: "input_text", text: "done" }] },
        { role: "assistant", content: [{ type: "output_text", text: "So.", annotations: [] }] },
        { role: "user", content: "And?" },
      ],
      tools: [{ type: "function", name: "f", description: "d", parameters: schema, strict: true }],
      tool_choice: { type: "function", name: "f" },
      text: { format: { type: "json_schema", name: "n", schema, strict: true }, verbosity: "low" },
      reasoning: { effort: "low", summary: "auto" },
      include: ["reasoning.encrypted_content"],
      max_output_tokens: 100,
      store: false,
      stream: true,
    },
  ],
  [
    anthropicMessages,
    {
      model: "m",
      max_tokens: 2000,
      system: [{ type: "text", text: "Be brief.", cache_control: { type: "ephemeral" } }],
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "What?" },
            { type: "image", source: { type: "base64", media_type: "image/png", data: "aGk=" } },
            { type: "document", source: { type: "base64", media_type: "application/pdf", data: "aGk=" }, title: "t" },
          ],
        },
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "Hm.", signature: "s" },
            { type: "redacted_thinking", data: "r" },
            { type: "text", text: "So." },
            { type: "tool_use", id: "c1", name: "f", input: { a: "x" } },
          ],
        },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "c1", is_error: false, content: [{ type: "text", text: "done" }] },
          ],
        },
      ],
      tools: [{ name: "f", description: "d", input_schema: schema }],
      tool_choice: { type: "tool", name: "f", disable_parallel_tool_use: true },
      thinking: { type: "enabled", budget_tokens: 1024 },
      stop_sequences: ["."],
      stream: true,
      metadata: { user_id: "u" },
    },
  ],
];

const changes = fc.array(fc.tuple(fc.nat(), hostile), { minLength: 1, maxLength: 3 });

describe.each(requests.map(([dialect, body]) => [dialect.dialect, dialect, body] as const))(
  "a request of %s in which anything stands anywhere",
  (_name, dialect, body) => {
    const codec = clientCodec(dialect.dialect);

    it("is refused, or is a request that is written or not for every provider: nothing is thrown", () => {
      let written = 0;
      fc.assert(
        fc.property(changes, (all) => {
          let text = JSON.stringify(body);
          for (const [where, value] of all) {
            const values = valuesIn(text);
            const [start = 0, end = 0] = values[where % Math.max(1, values.length)] ?? [];
            text = text.slice(0, start) + (text[end] === ":" ? '"__proto__"' : value) + text.slice(end);
          }
          const read = dialect.read(Buffer.from(text));
          if (!isReadRequest(read) || codec === null) return;
          const translation = new Translation(read, codec);
          for (const upstream of upstreams) {
            const target = upstreamCodec(upstream);
            if (target === null) continue;
            if (translation.obstacle(target, { endpoint: null, model: ["m"] }) !== null) continue;
            translation.write(target, writeTarget(), "a/m");
            written += 1;
          }
        }),
        { numRuns: 1500 },
      );
      expect(written).toBeGreaterThan(100);
    });
  },
);
