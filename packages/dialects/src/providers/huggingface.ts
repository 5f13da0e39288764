import { chat, openaiLike, responses } from "./openai-like.ts";
import type { ProviderPreset } from "./preset.ts";

/** Hugging Face Inference Providers, itself a router to several. From public facts; not yet verified. */
export const huggingface: ProviderPreset = {
  ...openaiLike,
  kind: "huggingface",
  baseUrl: "https://router.huggingface.co/v1",
  endpoints: { chat: [chat, responses] },
  continuation: "none",
  quirks: [
    "It is a router itself: which company answers is its choice, unless the id ends with its name (MODEL:PROVIDER).",
    "Monthly credits that are used up are answered with 402.",
  ],
  docs: "https://huggingface.co/docs/inference-providers",
};
