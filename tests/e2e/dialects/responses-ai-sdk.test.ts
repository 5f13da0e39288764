import { createOpenAI } from "@ai-sdk/openai";
import { answersError, startUpstream } from "@tuloy/testkit";
import type { ResponseItem, ScriptedUpstream } from "@tuloy/testkit";
import { generateText, jsonSchema, Output, stepCountIs, streamText, tool } from "ai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { apiKey, model } from "../../harness.ts";
import { answersAs, speaksResponses } from "../../responses-scene.ts";
import { openScene } from "../../scene.ts";

const weather = tool({
  description: "Says the weather.",
  inputSchema: jsonSchema<{ at: string }>({
    type: "object",
    properties: { at: { type: "string" } },
    required: ["at"],
    additionalProperties: false,
  }),
  execute: ({ at }) => Promise.resolve(`rain in ${at}`),
});

const steps: readonly (readonly ResponseItem[])[] = [
  [
    { call: "weather", callId: "call_1", arguments: '{"at":"Manila"}' },
    { call: "weather", callId: "call_2", arguments: '{"at":"Cebu"}' },
  ],
  [{ text: "It rains in both." }],
];

/** Nothing of what is asked is kept: with that, this SDK sends items whole instead of referring to them. */
const unkept = { openai: { store: false } };

describe.each(["openai-responses", "openai-chat"] as const)(
  "Vercel's AI SDK, of a deployment that speaks %s",
  (dialect) => {
    let mock: ScriptedUpstream;
    let opened: Awaited<ReturnType<typeof openScene<"a">>>;

    beforeAll(async () => {
      mock = await startUpstream([]);
      opened = await openScene({ a: [] }, { providers: dialect === "openai-responses" ? { a: speaksResponses } : {} });
    });
    afterAll(async () => {
      await opened.close();
      await mock.close();
    });

    const direct = () => createOpenAI({ baseURL: `${mock.url}/v1`, apiKey: "sk-a" }).responses(model);
    const through = () => createOpenAI({ baseURL: `${opened.scene.gateway.url}/v1`, apiKey }).responses(model);

    /** What both say to their next requests, in order. */
    function both(...answers: readonly (readonly ResponseItem[])[]): void {
      mock.script(answers.map((items) => answersAs("openai-responses", items)));
      opened.scene.a.script(answers.map((items) => answersAs(dialect, items)));
    }

    it("hears the same text, reasoning, usage and end", async () => {
      both([{ reasoning: "They greet me." }, { text: "Magandang umaga." }]);
      const heard = await Promise.all(
        [direct(), through()].map(async (asked) => {
          const { text, reasoningText, usage, finishReason } = await generateText({ model: asked, prompt: "Hi" });
          return { text, reasoningText, input: usage.inputTokens, output: usage.outputTokens, finishReason };
        }),
      );
      expect(heard[1]).toEqual(heard[0]);
      expect(heard[1]).toMatchObject({
        text: "Magandang umaga.",
        reasoningText: "They greet me.",
        finishReason: "stop",
      });
    });

    it("calls tools in several steps", async () => {
      both(...steps);
      const heard = await Promise.all(
        [direct(), through()].map(async (asked) => {
          const result = await generateText({
            model: asked,
            prompt: "Weather?",
            tools: { weather },
            stopWhen: stepCountIs(3),
            providerOptions: unkept,
          });
          return {
            text: result.text,
            results: result.steps.map(({ toolResults }) => toolResults.map(({ output }) => output)),
          };
        }),
      );
      expect(heard[1]).toEqual(heard[0]);
      expect(heard[1]).toEqual({ text: "It rains in both.", results: [["rain in Manila", "rain in Cebu"], []] });
    });

    it("streams, tools and all", async () => {
      both(...steps);
      const heard = await Promise.all(
        [direct(), through()].map(async (asked) => {
          const result = streamText({
            model: asked,
            prompt: "Weather?",
            tools: { weather },
            stopWhen: stepCountIs(3),
            providerOptions: unkept,
          });
          const kinds: string[] = [];
          for await (const part of result.fullStream) if (part.type !== kinds.at(-1)) kinds.push(part.type);
          return { text: await result.text, kinds: kinds.toSorted(), finish: await result.finishReason };
        }),
      );
      expect(heard[1]).toEqual(heard[0]);
      expect(heard[1]).toMatchObject({ text: "It rains in both.", finish: "stop" });
    });

    it("gets an object by its schema", async () => {
      both([{ text: '{"city":"Manila"}' }]);
      const schema = jsonSchema<{ city: string }>({
        type: "object",
        properties: { city: { type: "string" } },
        required: ["city"],
        additionalProperties: false,
      });
      const heard = await Promise.all(
        [direct(), through()].map(async (asked) => {
          const { output } = await generateText({ model: asked, prompt: "Where?", output: Output.object({ schema }) });
          return output;
        }),
      );
      expect(heard).toEqual([{ city: "Manila" }, { city: "Manila" }]);
    });

    it("raises an error in the middle of a stream, and before one", async () => {
      opened.scene.a.script((reply, request) => {
        if (dialect === "openai-responses") reply.eventStream().chunk("event: response.created\ndata: {}\n\n");
        else reply.eventStream();
        expect(request.method).toBe("POST");
        return reply.reset();
      });
      const broken = streamText({ model: through(), prompt: "Hi", maxRetries: 0, onError: () => undefined });
      const parts: string[] = [];
      for await (const part of broken.fullStream) parts.push(part.type);
      expect(parts).toContain("error");
      opened.scene.a.script(answersError(400, "bad", "no such thing"));
      await expect(generateText({ model: through(), prompt: "Hi", maxRetries: 0 })).rejects.toThrow("no such thing");
    });
  },
);
