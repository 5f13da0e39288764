import { z } from "zod";

import { continuationWays } from "../settings.ts";
import { probes } from "./probes.ts";
import { providerKey } from "./provider-keys.ts";
import { providerModel } from "./provider-models.ts";
import { sandbox } from "./sandbox.ts";
import { locationName, modelName, projectName, regionName } from "./values.ts";

export const providerKinds = [
  "anthropic",
  "anthropic-compatible",
  "openai",
  "openai-compatible",
  "bedrock",
  "gemini",
  "vertex",
  "sandbox",
  "alibaba",
  "azure",
  "cerebras",
  "cloudflare",
  "cohere",
  "databricks",
  "deepinfra",
  "deepseek",
  "fireworks",
  "github-models",
  "groq",
  "huggingface",
  "llamacpp",
  "lmstudio",
  "minimax",
  "mistral",
  "moonshot",
  "nebius",
  "novita",
  "nvidia",
  "ollama",
  "openrouter",
  "perplexity",
  "sambanova",
  "sglang",
  "together",
  "vllm",
  "xai",
  "zai",
] as const;
export type ProviderKind = (typeof providerKinds)[number];

export const provider = z
  .strictObject({
    kind: z
      .enum(providerKinds)
      .describe(
        "What it is: a company or a server that is known (tuloy providers kinds lists them), openai-compatible or anthropic-compatible for any other that speaks such a dialect, or sandbox, a built-in simulated provider.",
      ),
    base_url: z
      .string()
      .optional()
      .describe(
        "Where its API is, with its path: https://api.example.com/v1. It may hold {project} and {location}. Default: the kind's own address. Kinds whose address holds an account, and servers of your own, have none; there a host alone gets the kind's usual path.",
      ),
    project: projectName
      .optional()
      .describe(
        "The id of the project whose API it is, for kinds whose address holds one (vertex): {project} in base_url stands for it.",
      ),
    location: locationName
      .optional()
      .describe(
        "The provider's own name of the place whose API it is, for kinds whose address or signature holds one, for example eu-west-1, europe-west4 or global: {location} in base_url stands for it.",
      ),
    region: regionName
      .optional()
      .describe(
        "Where it computes, for example eu or eu-west-1. Default: that of location, where it is known; else unknown, which like global is outside every pinned region. An id that spans regions (eu.anthropic.…) counts as all of them, whatever stands here. One that location contradicts is refused, or a warning where only the name may differ.",
      ),
    visibility: z
      .enum(["public", "private"])
      .optional()
      .describe(
        "private permits a base_url on a private network, and only its own organization sees it. Default: private when base_url holds a private address or localhost, else public.",
      ),
    retains: z
      .boolean()
      .optional()
      .describe(
        "Whether it keeps what it is sent. Default: what is known of its kind; else unknown, so that a request with zdr does not go there.",
      ),
    trains: z
      .boolean()
      .optional()
      .describe(
        "Whether it trains on what it is sent. Default: what is known of its kind; else unknown, so that a request with data_collection: deny does not go there.",
      ),
    account_ids: z
      .enum(["forward", "refuse"])
      .optional()
      .describe(
        "Requests that name something by its id in the account there (a file, vector store, prompt, container, skill, audio answer, cached content, object in its storage): forward sends them, and whoever knows an id can use it; refuse does not. Default: forward where API keys of only one workspace can reach the account, refuse where several can.",
      ),
    keys: z
      .array(providerKey)
      .default([])
      .describe("Its credentials. Default: none, which self-hosted servers accept and others do not."),
    models: z
      .record(modelName, providerModel.nullable())
      .optional()
      .describe(
        "The models it serves, by canonical name or by its own id of one. Default: every model that the catalog proves its kind to serve.",
      ),
    probes: probes.prefault({}),
    continuation: z
      .enum(continuationWays)
      .optional()
      .describe(
        "How it goes on with an answer that broke off. assistant-prefix: from a last assistant message (llama.cpp, Groq); vllm: vLLM and SGLang; deepseek; mistral; none: it cannot. Default: the kind's way; for openai-compatible it is found out by a small request before the first use.",
      ),
    sandbox: sandbox.optional(),
  })
  .describe("A company or server that serves models.");

export type ProviderConfig = z.output<typeof provider>;
