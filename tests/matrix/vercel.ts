import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, jsonSchema, Output, stepCountIs, streamText, tool, type ModelMessage } from "ai";

import { budget, limit, objectOf, places, type Client, type Place } from "./clients.ts";

/** With that, it sends items whole instead of referring to them. */
const whole = { store: false };
/** A model that the SDK takes for one that does not think is to do so all the same. */
const effort = { ...whole, reasoningEffort: "low", forceReasoning: true };

const plain = { openai: whole };
const thinking = {
  "openai-chat": { openai: effort },
  "openai-responses": { openai: { ...effort, reasoningSummary: "auto" } },
  "anthropic-messages": { anthropic: { thinking: { type: "enabled", budgetTokens: budget } } },
} as const;

/** Vercel's SDK, which runs the tools by itself and asks again. */
function vercel(dialect: Client["dialect"]): Client {
  return {
    dialect,
    async ask(at, { turns, system, tools = [], schema, thinks }, stream) {
      const asks = {
        model: modelOf(dialect, at),
        messages: turns.map((turn): ModelMessage => {
          if (!("user" in turn)) throw new Error("this SDK keeps the history itself");
          const { user: text, image } = turn;
          if (image === undefined) return { role: "user", content: text };
          return {
            role: "user",
            content: [
              { type: "text", text },
              { type: "file", data: image, mediaType: "image/png" },
            ],
          };
        }),
        ...(system === undefined ? {} : { system }),
        tools: Object.fromEntries(
          tools.map((name) => [
            name,
            tool({
              inputSchema: jsonSchema<{ at: string }>(places),
              execute: ({ at: where }) => `${name} in ${where}`,
            }),
          ]),
        ),
        stopWhen: stepCountIs(3),
        ...(schema === undefined ? {} : { output: Output.object({ schema: jsonSchema(objectOf(schema)) }) }),
        maxOutputTokens: limit,
        maxRetries: 0,
        providerOptions: thinks === true ? thinking[dialect] : plain,
      };
      const heard = stream ? await streamed(asks, at.hears) : await generateText(asks);
      const { steps, text, reasoningText, finishReason, usage } = heard;
      return {
        model: steps.at(-1)?.response.modelId ?? "",
        frame: [],
        thought: reasoningText ?? "",
        text,
        refusal: "",
        calls: steps.flatMap(({ toolCalls }) =>
          toolCalls.map(({ toolCallId: id, toolName: name, input }) => ({ id, name, input: input as unknown })),
        ),
        finish: [finishReason, steps.length],
        usage: [
          usage.inputTokens,
          usage.inputTokenDetails.cacheReadTokens,
          usage.outputTokens,
          usage.outputTokenDetails.reasoningTokens,
          usage.inputTokenDetails.cacheWriteTokens,
          usage.totalTokens,
        ],
        own: [
          steps.map(({ toolResults }) => toolResults.map(({ output }) => output as unknown)),
          schema === undefined ? null : await heard.output,
        ],
      };
    },
  };
}

async function streamed(asks: Parameters<typeof streamText>[0], hears: Place["hears"]) {
  const { promise: failed, reject } = Promise.withResolvers<never>();
  const run = streamText({
    ...asks,
    onChunk: ({ chunk }) => {
      if (chunk.type === "text-delta") hears?.(chunk.text);
    },
    onError: ({ error }) => reject(error),
  });
  const whole = async () => ({
    steps: await run.steps,
    text: await run.text,
    reasoningText: await run.reasoningText,
    finishReason: await run.finishReason,
    usage: await run.usage,
    output: run.output as PromiseLike<unknown>,
  });
  return Promise.race([whole(), failed]);
}

function modelOf(dialect: Client["dialect"], { url, key, model, headers = {} }: Place) {
  const at = { baseURL: `${url}/v1`, apiKey: key, headers };
  if (dialect === "anthropic-messages") return createAnthropic(at)(model);
  return dialect === "openai-chat" ? createOpenAI(at).chat(model) : createOpenAI(at).responses(model);
}

export const vercels = {
  "@ai-sdk/openai, chat": vercel("openai-chat"),
  "@ai-sdk/openai, responses": vercel("openai-responses"),
  "@ai-sdk/anthropic": vercel("anthropic-messages"),
} as const;
