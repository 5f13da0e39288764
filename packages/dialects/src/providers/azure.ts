import { openaiRateLimits } from "../rate-limits/headers.ts";
import { openaiLike } from "./openai-like.ts";
import { openai } from "./openai.ts";
import type { ProviderPreset } from "./preset.ts";

/** Azure OpenAI by its v1 API, which needs no dated api-version (https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle). */
export const azure: ProviderPreset = {
  ...openaiLike,
  kind: "azure",
  baseUrl: null,
  baseUrlForm: "https://RESOURCE.openai.azure.com/openai/v1",
  modelsAreOwn: true,
  endpoints: openai.endpoints,
  auth: { header: "api-key", prefix: "" },
  refuses: openai.refuses,
  maxStops: 4,
  continuation: "none",
  markers: [
    ...openai.markers,
    {
      status: 404,
      message: "resource not found",
      class: "model_missing",
      because: "a resource without this API, or a base_url with another path; the request is not at fault",
    },
    {
      status: 403,
      message: "public access is disabled",
      class: "auth",
      because: "the resource's network rules keep the gateway out; the request is not at fault",
    },
  ],
  // It sends -1 for what it does not know.
  rateLimitHeaders: [openaiRateLimits],
  promptCaching: "automatic",
  // Prompts may be kept up to 30 days against abuse, unless the subscription is exempt.
  retains: true,
  trains: false,
  dataPolicy: "https://learn.microsoft.com/legal/cognitive-services/openai/data-privacy",
  quirks: [
    "A model's id is the name of its deployment in the resource: give it as `id` where it is not the model's own name.",
    "base_url is the resource's address; without a path, /openai/v1 is added. Addresses with /openai/deployments and an api-version are not served.",
    "Its content filter answers 400 with code content_filter, or ends an answer with the finish reason content_filter: no other provider is asked then.",
    "The first chunk of a stream may have no choices, only the filter's results.",
    "Of a conversation that began elsewhere, reasoning, marks for caching and signatures are left out, and ids of calls of more than 40 characters are replaced, consistently.",
  ],
  verified: true,
  docs: "https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle",
};
