import type { FailureForms } from "../hub/failing.ts";
import { chatFailing } from "../openai-chat/failing.ts";

/** How a provider of embeddings fails: as one of chat does. They are never streamed. */
export const embeddingsFailing: FailureForms = {
  ...chatFailing,
  emptyAnswer: ({ model }) =>
    Buffer.from(JSON.stringify({ object: "list", data: [], model, usage: { prompt_tokens: 0, total_tokens: 0 } })),
};
