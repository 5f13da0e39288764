import { openaiRateLimits } from "../rate-limits/headers.ts";
import { chat, openaiLike, responses } from "./openai-like.ts";
import type { ProviderPreset } from "./preset.ts";

/** Groq (https://console.groq.com/docs/openai). */
export const groq: ProviderPreset = {
  ...openaiLike,
  kind: "groq",
  baseUrl: "https://api.groq.com/openai/v1",
  endpoints: {
    chat: [
      {
        ...chat,
        // `messages[].name` is answered with 400, and so is what it does not know: "property 'reasoning_content' is unsupported".
        messages: { without: ["name", "reasoning_content", "reasoning_details"], callsWithout: ["extra_content"] },
      },
      responses,
    ],
  },
  // The page names these as answered with 400; `n` only when it is more than 1, which no server without it can serve.
  refuses: ["logprobs", "top_logprobs", "logit_bias", "n"],
  maxStops: 4,
  continuation: "assistant-prefix",
  markers: [
    {
      status: 498,
      class: "overloaded",
      because:
        "capacity_exceeded: the flex tier has no room at the moment (https://console.groq.com/docs/flex-processing)",
    },
    {
      status: 413,
      code: "rate_limit_exceeded",
      class: "rate_limited",
      because: "the request alone is more than the key's tokens a minute; another provider takes it",
    },
  ],
  // Requests are those of a day, tokens those of a minute.
  rateLimitHeaders: [openaiRateLimits],
  promptCaching: "automatic",
  // Not by default; but it may log up to 30 days for reliability and against abuse, unless zero retention is switched on.
  retains: true,
  trains: null,
  dataPolicy: "https://console.groq.com/docs/your-data",
  quirks: [
    "It takes no logprobs, no logit_bias and no n, and no names in messages: names are left out, as is the reasoning of other providers.",
    "A temperature of 0 is taken for 1e-8.",
    "It may keep requests up to 30 days unless zero data retention is switched on in its console: then write retains: false.",
  ],
  verified: true,
  docs: "https://console.groq.com/docs/openai",
};
