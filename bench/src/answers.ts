import { isDeepStrictEqual } from "node:util";

/**
 * What the mock upstream answers, chosen by the request's `model`, because that is the one thing every gateway forwards
 * unchanged. The path is not (a gateway has its own), and unknown body fields are dropped by some.
 */
export const benchModels = ["bench-json", "bench-sse", "bench-sse-paced", "bench-sse-open"] as const;
export type BenchModel = (typeof benchModels)[number];

/** One word of the answer's text, in a chunk of about 220 bytes as OpenAI sends it. */
const word = "onward ";

function chunk(model: string, delta: object, finishReason: string | null, extra: object = {}): string {
  return `data: ${JSON.stringify({
    id: "chatcmpl-bench-0001",
    object: "chat.completion.chunk",
    created: 1_790_000_000,
    model,
    system_fingerprint: "fp_bench",
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }],
    ...extra,
  })}\n\n`;
}

/** The SSE events of one streamed answer: the role, `contentEvents` words, the finish reason, `[DONE]`. */
export function streamEvents(model: string, contentEvents: number): string[] {
  return [
    chunk(model, { role: "assistant", content: "" }, null),
    ...Array.from({ length: contentEvents }, () => chunk(model, { content: word }, null)),
    chunk(model, {}, "stop", {
      usage: { prompt_tokens: 40, completion_tokens: contentEvents, total_tokens: 40 + contentEvents },
    }),
    "data: [DONE]\n\n",
  ];
}

/** One whole JSON answer of about 600 bytes. */
export function jsonAnswer(): string {
  return JSON.stringify({
    id: "chatcmpl-bench-0001",
    object: "chat.completion",
    created: 1_790_000_000,
    model: "bench-json",
    system_fingerprint: "fp_bench",
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: word.repeat(30).trim(), refusal: null, annotations: [] },
        logprobs: null,
        finish_reason: "stop",
      },
    ],
    usage: {
      prompt_tokens: 40,
      completion_tokens: 30,
      total_tokens: 70,
      prompt_tokens_details: { cached_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 0 },
    },
  });
}

/** A chat request of `bytes` bytes: the prompt is as long as it takes. It asks for a stream unless the model is `bench-json`. */
export function chatRequest(model: string, bytes: number): string {
  const build = (prompt: string) =>
    JSON.stringify({
      model,
      stream: model !== "bench-json",
      temperature: 0.2,
      messages: [
        { role: "system", content: "You are a patient assistant. Answer in one paragraph." },
        { role: "user", content: prompt },
      ],
    });
  const prompt = "Tell me how the ferry goes on when one engine stops. ";
  const missing = Math.max(0, bytes - build("").length);
  return build(prompt.repeat(Math.ceil(missing / prompt.length)).slice(0, missing));
}

/** The same as a request of Anthropic's dialect, for a stream. */
export function messagesRequest(model: string, bytes: number): string {
  const build = (prompt: string) =>
    JSON.stringify({ model, stream: true, max_tokens: 1000, messages: [{ role: "user", content: prompt }] });
  return build("Go on. ".repeat(bytes).slice(0, Math.max(0, bytes - build("").length)));
}

export type Sameness = "same bytes" | "same meaning" | "different";

/**
 * Compares what came through a gateway with what the upstream sent. A gateway may write the JSON anew (other spacing,
 * other framing of events), which is "same meaning"; anything added, lost or changed is "different".
 */
export function compareAnswers(expected: string, received: string): Sameness {
  if (expected === received) return "same bytes";
  try {
    return isDeepStrictEqual(payloads(expected), payloads(received)) ? "same meaning" : "different";
  } catch {
    return "different";
  }
}

function payloads(answer: string): unknown[] {
  if (!answer.startsWith("data:")) return [JSON.parse(answer)];
  return answer
    .split(/\r?\n/)
    .filter((line) => line.startsWith("data:"))
    .map((line) => line.slice(5).trim())
    .map((data): unknown => (data === "[DONE]" ? data : JSON.parse(data)));
}
