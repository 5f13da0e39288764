import type { Dialect } from "@tuloy/contract";

import { messagesFailing } from "../anthropic-messages/failing.ts";
import { converseFailing } from "../bedrock-converse/failing.ts";
import { geminiFailing } from "../gemini/failing.ts";
import { chatFailing } from "../openai-chat/failing.ts";
import { embeddingsFailing } from "../openai-embeddings/failing.ts";
import { responsesFailing } from "../openai-responses/failing.ts";
import type { FailureForms } from "./failing.ts";

/** How a provider fails, by the dialect that it is spoken to in. */
export const failureForms: Readonly<Record<Dialect, FailureForms>> = {
  "openai-chat": chatFailing,
  "openai-responses": responsesFailing,
  "openai-embeddings": embeddingsFailing,
  "anthropic-messages": messagesFailing,
  gemini: geminiFailing,
  "bedrock-converse": converseFailing,
};
