import { chat, embeddings, openaiLike } from "./openai-like.ts";
import type { ProviderPreset } from "./preset.ts";

/** Databricks model serving. From public facts; not yet verified. */
export const databricks: ProviderPreset = {
  ...openaiLike,
  kind: "databricks",
  baseUrl: null,
  baseUrlForm: "https://WORKSPACE.cloud.databricks.com/serving-endpoints",
  endpoints: { chat: [chat], embeddings: [embeddings] },
  refuses: ["logit_bias", "seed", "presence_penalty", "frequency_penalty", "parallel_tool_calls"],
  quirks: ["The workspace's host is part of base_url.", "A model's id is the name of its serving endpoint."],
  docs: "https://docs.databricks.com/aws/en/machine-learning/foundation-models/",
};
