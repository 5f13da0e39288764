import { openaiRateLimits } from "../rate-limits/headers.ts";
import { chat, openaiLike, responses } from "./openai-like.ts";
import type { ProviderPreset } from "./preset.ts";

/** xAI. From public facts; not yet verified. */
export const xai: ProviderPreset = {
  ...openaiLike,
  kind: "xai",
  baseUrl: "https://api.x.ai/v1",
  endpoints: { chat: [chat, responses] },
  // Its reasoning models answer these with 400.
  refuses: ["logit_bias"],
  markers: [
    {
      status: 403,
      message: "used all available credits",
      class: "quota_exhausted",
      because: "prepaid credit or the monthly limit is used up, which it reports as 403",
    },
    {
      status: 400,
      message: "incorrect api key",
      class: "auth",
      because: "it answers 400 to a wrong key",
    },
  ],
  rateLimitHeaders: [openaiRateLimits],
  promptCaching: "automatic",
  quirks: ["Reasoning models take no stop, presence_penalty and frequency_penalty, and answer 400 to them."],
  docs: "https://docs.x.ai/docs/overview",
};
