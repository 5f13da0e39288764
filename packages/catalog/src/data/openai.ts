/**
 * OpenAI's models that its chat and embeddings endpoints serve, with its list prices.
 *
 * The chat models' facts are from the models.dev database (https://models.dev), MIT licence, Copyright (c) 2025
 * models.dev, as of 2026-07-02; see NOTICE. Its flags say nothing of `n` and `logprobs`: `n` is taken by all, `logprobs`
 * only by models that do not reason first (https://platform.openai.com/docs/api-reference/chat/create). It says that
 * gpt-3.5-turbo takes no tools, which it does. Models that only the Responses API serves (…-pro, …-codex,
 * …-deep-research) are left out: the chat endpoint answers 404 for them.
 *
 * The embedding models' facts are from https://platform.openai.com/docs/guides/embeddings and OpenAI's price list.
 */
import type { ModelFacts } from "../facts.ts";

/**
 * Reasoning models take the limit only as `max_completion_tokens`, which counts the reasoning too
 * (https://platform.openai.com/docs/guides/reasoning).
 */
const reasons = ["max_tokens"];
/** The first of them take no sampling parameters either; later ones do at effort `none`, so they judge for themselves. */
const reasonsAlways = [...reasons, "temperature", "top_p", "presence_penalty", "frequency_penalty", "logit_bias"];
/** https://platform.openai.com/docs/api-reference/chat/create: `stop` is not taken by o3 and o4-mini, nor `parallel_tool_calls` by the o series. */
const oSeries = [...reasonsAlways, "parallel_tool_calls"];
/** The others refuse what only reasoning models understand. */
const plain = ["reasoning_effort", "verbosity"];

export const openaiChat: readonly ModelFacts[] = [
  {
    name: "gpt-5.5",
    context: 1_050_000,
    output: 128_000,
    capabilities: ["tools", "images", "json_schema", "n"],
    hiddenReasoning: true,
    refuses: reasons,
    price: { input: 5, output: 30, cachedInput: 0.5 },
  },
  {
    name: "gpt-5.4-mini",
    context: 400_000,
    output: 128_000,
    capabilities: ["tools", "images", "json_schema", "n"],
    hiddenReasoning: true,
    refuses: reasons,
    price: { input: 0.75, output: 4.5, cachedInput: 0.075 },
  },
  {
    name: "gpt-5.4-nano",
    context: 400_000,
    output: 128_000,
    capabilities: ["tools", "images", "json_schema", "n"],
    hiddenReasoning: true,
    refuses: reasons,
    price: { input: 0.2, output: 1.25, cachedInput: 0.02 },
  },
  {
    name: "gpt-5.4",
    context: 1_050_000,
    output: 128_000,
    capabilities: ["tools", "images", "json_schema", "n"],
    hiddenReasoning: true,
    refuses: reasons,
    price: { input: 2.5, output: 15, cachedInput: 0.25 },
  },
  {
    name: "gpt-5.2",
    context: 400_000,
    output: 128_000,
    capabilities: ["tools", "images", "json_schema", "n"],
    hiddenReasoning: true,
    refuses: reasons,
    price: { input: 1.75, output: 14, cachedInput: 0.175 },
  },
  {
    name: "gpt-5.2-chat-latest",
    context: 128_000,
    output: 16_384,
    capabilities: ["tools", "images", "json_schema", "n"],
    hiddenReasoning: true,
    refuses: reasons,
    price: { input: 1.75, output: 14, cachedInput: 0.175 },
  },
  {
    name: "gpt-5.1",
    context: 400_000,
    output: 128_000,
    capabilities: ["tools", "images", "json_schema", "n"],
    hiddenReasoning: true,
    refuses: reasons,
    price: { input: 1.25, output: 10, cachedInput: 0.125 },
  },
  {
    name: "gpt-5.1-chat-latest",
    context: 128_000,
    output: 16_384,
    capabilities: ["tools", "images", "json_schema", "n"],
    hiddenReasoning: true,
    refuses: reasons,
    price: { input: 1.25, output: 10, cachedInput: 0.125 },
  },
  {
    name: "gpt-5",
    context: 400_000,
    output: 128_000,
    capabilities: ["tools", "images", "json_schema", "n"],
    hiddenReasoning: true,
    refuses: reasonsAlways,
    price: { input: 1.25, output: 10, cachedInput: 0.125 },
  },
  {
    name: "gpt-5-mini",
    context: 400_000,
    output: 128_000,
    capabilities: ["tools", "images", "json_schema", "n"],
    hiddenReasoning: true,
    refuses: reasonsAlways,
    price: { input: 0.25, output: 2, cachedInput: 0.025 },
  },
  {
    name: "gpt-5-nano",
    context: 400_000,
    output: 128_000,
    capabilities: ["tools", "images", "json_schema", "n"],
    hiddenReasoning: true,
    refuses: reasonsAlways,
    price: { input: 0.05, output: 0.4, cachedInput: 0.005 },
  },
  {
    name: "o3",
    context: 200_000,
    output: 100_000,
    capabilities: ["tools", "images", "json_schema", "n"],
    hiddenReasoning: true,
    refuses: [...oSeries, "stop"],
    price: { input: 2, output: 8, cachedInput: 0.5 },
  },
  {
    name: "o4-mini",
    context: 200_000,
    output: 100_000,
    capabilities: ["tools", "images", "json_schema", "n"],
    hiddenReasoning: true,
    refuses: [...oSeries, "stop"],
    price: { input: 1.1, output: 4.4, cachedInput: 0.275 },
  },
  {
    name: "gpt-4.1",
    context: 1_047_576,
    output: 32_768,
    capabilities: ["tools", "images", "json_schema", "logprobs", "n"],
    hiddenReasoning: false,
    refuses: plain,
    price: { input: 2, output: 8, cachedInput: 0.5 },
  },
  {
    name: "gpt-4.1-mini",
    context: 1_047_576,
    output: 32_768,
    capabilities: ["tools", "images", "json_schema", "logprobs", "n"],
    hiddenReasoning: false,
    refuses: plain,
    price: { input: 0.4, output: 1.6, cachedInput: 0.1 },
  },
  {
    name: "gpt-4.1-nano",
    context: 1_047_576,
    output: 32_768,
    capabilities: ["tools", "images", "json_schema", "logprobs", "n"],
    hiddenReasoning: false,
    refuses: plain,
    price: { input: 0.1, output: 0.4, cachedInput: 0.025 },
  },
  {
    name: "o3-mini",
    context: 200_000,
    output: 100_000,
    capabilities: ["tools", "json_schema", "n"],
    hiddenReasoning: true,
    refuses: oSeries,
    price: { input: 1.1, output: 4.4, cachedInput: 0.55 },
  },
  {
    name: "o1",
    context: 200_000,
    output: 100_000,
    capabilities: ["tools", "images", "json_schema", "n"],
    hiddenReasoning: true,
    refuses: oSeries,
    price: { input: 15, output: 60, cachedInput: 7.5 },
  },
  {
    name: "gpt-4o-2024-11-20",
    context: 128_000,
    output: 16_384,
    capabilities: ["tools", "images", "json_schema", "logprobs", "n"],
    hiddenReasoning: false,
    refuses: plain,
    price: { input: 2.5, output: 10, cachedInput: 1.25 },
  },
  {
    name: "gpt-4o-2024-08-06",
    context: 128_000,
    output: 16_384,
    capabilities: ["tools", "images", "json_schema", "logprobs", "n"],
    hiddenReasoning: false,
    refuses: plain,
    price: { input: 2.5, output: 10, cachedInput: 1.25 },
  },
  {
    name: "gpt-4o-mini",
    context: 128_000,
    output: 16_384,
    capabilities: ["tools", "images", "json_schema", "logprobs", "n"],
    hiddenReasoning: false,
    refuses: plain,
    price: { input: 0.15, output: 0.6, cachedInput: 0.075 },
  },
  {
    name: "gpt-4o",
    context: 128_000,
    output: 16_384,
    capabilities: ["tools", "images", "json_schema", "logprobs", "n"],
    hiddenReasoning: false,
    refuses: plain,
    price: { input: 2.5, output: 10, cachedInput: 1.25 },
  },
  {
    name: "gpt-4o-2024-05-13",
    context: 128_000,
    output: 4_096,
    capabilities: ["tools", "images", "json_schema", "logprobs", "n"],
    hiddenReasoning: false,
    refuses: plain,
    price: { input: 5, output: 15 },
  },
  {
    name: "gpt-4",
    context: 8_192,
    output: 8_192,
    capabilities: ["tools", "logprobs", "n"],
    hiddenReasoning: false,
    tokenizer: "cl100k",
    refuses: plain,
    price: { input: 30, output: 60 },
  },
  {
    name: "gpt-4-turbo",
    context: 128_000,
    output: 4_096,
    capabilities: ["tools", "images", "logprobs", "n"],
    hiddenReasoning: false,
    tokenizer: "cl100k",
    refuses: plain,
    price: { input: 10, output: 30 },
  },
  {
    name: "gpt-3.5-turbo",
    context: 16_385,
    output: 4_096,
    capabilities: ["tools", "logprobs", "n"],
    hiddenReasoning: false,
    tokenizer: "cl100k",
    refuses: plain,
    price: { input: 0.5, output: 1.5 },
  },
];

/** The context is that of one input; a request may hold up to 2,048 of them. */
export const openaiEmbeddings: readonly ModelFacts[] = [
  {
    name: "text-embedding-3-small",
    context: 8192,
    output: null,
    capabilities: [],
    hiddenReasoning: false,
    dimensions: 1536,
    price: { input: 0.02, output: 0 },
  },
  {
    name: "text-embedding-3-large",
    context: 8192,
    output: null,
    capabilities: [],
    hiddenReasoning: false,
    dimensions: 3072,
    price: { input: 0.13, output: 0 },
  },
  {
    name: "text-embedding-ada-002",
    context: 8192,
    output: null,
    capabilities: [],
    hiddenReasoning: false,
    dimensions: 1536,
    price: { input: 0.1, output: 0 },
  },
];
