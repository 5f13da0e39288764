import {
  answersAnthropicError,
  answersAwsError,
  answersError,
  anthropicError,
  chatChunk,
  converseException,
  converseStream,
  googleError,
  openaiError,
  responseObject,
  sse,
} from "@tuloy/testkit";
import type { Reply, Script } from "@tuloy/testkit";

import { streamed, type Said, type Spoken } from "./said.ts";

type InEach<What> = Readonly<Record<Spoken, What>>;

/** The request itself is wrong, in each dialect's own error. */
export const refuses: InEach<(words: string) => Script> = {
  "openai-chat": (words) => answersError(400, null, words),
  "openai-responses": (words) => answersError(400, null, words),
  "anthropic-messages": (words) => answersAnthropicError(400, "invalid_request_error", words),
  gemini: (words) => (reply) => reply.json(400, googleError(400, "INVALID_ARGUMENT", words)),
  "bedrock-converse": (words) => answersAwsError(400, "ValidationException", words),
};

const openaiTooLong = answersError(
  400,
  "context_length_exceeded",
  "This model's maximum context length is 200000 tokens. However, your messages resulted in 200001 tokens.",
);

/** The request is longer than the model's window, as each provider says it. */
export const tooLong: InEach<Script> = {
  "openai-chat": openaiTooLong,
  "openai-responses": openaiTooLong,
  "anthropic-messages": refuses["anthropic-messages"]("prompt is too long: 200001 tokens > 200000 maximum"),
  gemini: refuses.gemini("The input token count (200001) exceeds the maximum number of tokens allowed (200000)."),
  "bedrock-converse": refuses["bedrock-converse"]("Input is too long for requested model."),
};

/** Nothing more is taken for now, in each dialect's own error. */
export const limits: InEach<Script> = {
  "openai-chat": answersError(429, "rate_limit_exceeded", "Too many requests."),
  "openai-responses": answersError(429, "rate_limit_exceeded", "Too many requests."),
  "anthropic-messages": answersAnthropicError(429, "rate_limit_error", "Too many requests."),
  gemini: (reply) => reply.json(429, googleError(429, "RESOURCE_EXHAUSTED", "Too many requests.")),
  "bedrock-converse": answersAwsError(429, "ThrottlingException", "Too many requests."),
};

/** The provider has too much to do. */
export const overloads: InEach<Script> = {
  "openai-chat": answersError(503, "server_is_overloaded", "Our servers are overloaded."),
  "openai-responses": answersError(503, "server_is_overloaded", "Our servers are overloaded."),
  "anthropic-messages": answersAnthropicError(529, "overloaded_error", "Overloaded"),
  gemini: (reply) => reply.json(503, googleError(503, "UNAVAILABLE", "The model is overloaded.")),
  "bedrock-converse": answersAwsError(503, "ServiceUnavailableException", "Bedrock is unable to process your request."),
};

/** Something broke there. */
export const crashes: InEach<Script> = {
  "openai-chat": answersError(500, null, "The server had an error."),
  "openai-responses": answersError(500, null, "The server had an error."),
  "anthropic-messages": answersAnthropicError(500, "api_error", "Internal server error"),
  gemini: (reply) => reply.json(500, googleError(500, "INTERNAL", "An internal error has occurred.")),
  "bedrock-converse": answersAwsError(500, "InternalServerException", "An unexpected error."),
};

/** A stream that says the first `events` of an answer, and goes on. */
export function begins(dialect: Spoken, reply: Reply, said: Said, events: number): Reply {
  const head = dialect === "bedrock-converse" ? converseStream(reply) : reply.eventStream();
  return streamed[dialect](said)
    .slice(0, events)
    .reduce((told, event) => told.chunk(event), head);
}

/** A stream that says all of a text, and had more to say. */
export function saysAll(dialect: Spoken, reply: Reply, text: string): Reply {
  const words = text.match(/\s*\S+/g)?.length ?? 0;
  return begins(dialect, reply, { text: `${text} and more` }, before[dialect] + words);
}

/** The events of a stream before the first piece of its text. */
const before: InEach<number> = {
  "openai-chat": 1,
  "openai-responses": 4,
  "anthropic-messages": 3,
  gemini: 0,
  "bedrock-converse": 1,
};

/** What it says then, in whatever form. */
const brokenWords = "It broke over there.";

const failed = { code: "server_error", message: brokenWords };

/** What a provider says in a stream when it fails in its middle, each way that it has. */
export const breaks: InEach<readonly [string | Buffer, ...(string | Buffer)[]]> = {
  "openai-chat": [
    sse(openaiError(500, failed.code, failed.message)),
    // vLLM's, and OpenRouter's for a provider of its own.
    sse({ object: "error", message: failed.message, type: "InternalServerError", param: null, code: 500 }),
    sse({ ...chatChunk({ delta: { content: "" }, finish_reason: "error" }), error: { ...failed, code: 502 } }),
  ],
  "openai-responses": [
    sse({ type: "error", sequence_number: 99, ...failed, param: null }, "error"),
    sse(
      {
        type: "response.failed",
        sequence_number: 99,
        response: { ...responseObject([]), status: "failed", error: failed },
      },
      "response.failed",
    ),
  ],
  "anthropic-messages": [sse(anthropicError("overloaded_error", brokenWords), "error")],
  gemini: [sse(googleError(503, "UNAVAILABLE", brokenWords))],
  "bedrock-converse": [
    converseException("modelStreamErrorException", brokenWords),
    converseException("throttlingException", brokenWords),
  ],
};
