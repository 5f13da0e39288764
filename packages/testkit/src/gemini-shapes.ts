import { sse } from "./openai-shapes.ts";

/** What Google sends besides the parts. Defaults: `STOP`, `response-1`, `gemini-x`, no usage. */
export interface GeminiShape {
  readonly finishReason?: string | null;
  readonly responseId?: string;
  readonly modelVersion?: string;
  /** As `usageMetadata`. */
  readonly usage?: Readonly<Record<string, unknown>>;
}

/** `usageMetadata`; thoughts stand beside the candidates' tokens, as the total shows. */
export function geminiUsage(prompt: number, candidates: number, thoughts = 0, cached = 0): Record<string, unknown> {
  return {
    promptTokenCount: prompt,
    candidatesTokenCount: candidates,
    totalTokenCount: prompt + candidates + thoughts,
    ...(thoughts === 0 ? {} : { thoughtsTokenCount: thoughts }),
    ...(cached === 0 ? {} : { cachedContentTokenCount: cached }),
    promptTokensDetails: [{ modality: "TEXT", tokenCount: prompt }],
  };
}

/** A `GenerateContentResponse` with one candidate. */
export function geminiResponse(parts: readonly unknown[], shape: GeminiShape = {}): Record<string, unknown> {
  const { finishReason = "STOP", responseId = "response-1", modelVersion = "gemini-x", usage } = shape;
  return {
    candidates: [
      {
        content: { parts, role: "model" },
        ...(finishReason === null ? {} : { finishReason }),
        index: 0,
      },
    ],
    ...(usage === undefined ? {} : { usageMetadata: usage }),
    modelVersion,
    responseId,
  };
}

/** The events of `streamGenerateContent?alt=sse`: each with some parts, the last with the reason to end. It has no terminator. */
export function geminiEvents(pieces: readonly (readonly unknown[])[], shape: GeminiShape = {}): string[] {
  return pieces.map((parts, at) => {
    const last = at === pieces.length - 1;
    return sse(geminiResponse(parts, last ? shape : { ...shape, finishReason: null }));
  });
}

/** A stream of text alone. */
export function geminiTextEvents(pieces: readonly string[], shape: GeminiShape = {}): string[] {
  return geminiEvents([...pieces.map((text) => [{ text }]), []], shape);
}

/** A prompt that a filter refused. */
export function geminiBlocked(blockReason: string, usage?: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return {
    promptFeedback: { blockReason },
    ...(usage === undefined ? {} : { usageMetadata: usage }),
    modelVersion: "gemini-x",
    responseId: "response-1",
  };
}

/** An error as all of Google's APIs answer it: a google.rpc.Status. */
export function googleError(
  code: number,
  status: string,
  message: string,
  details?: readonly unknown[],
): Record<string, unknown> {
  return { error: { code, message, status, ...(details === undefined ? {} : { details }) } };
}

/** The details of a 429. */
export function googleRetryInfo(retryDelay: string): Record<string, unknown> {
  return { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay };
}

export function googleQuotaFailure(quotaId: string): Record<string, unknown> {
  return {
    "@type": "type.googleapis.com/google.rpc.QuotaFailure",
    violations: [
      {
        quotaMetric: "generativelanguage.googleapis.com/generate_content_free_tier_requests",
        quotaId,
        quotaDimensions: { location: "global", model: "gemini-x" },
        quotaValue: "250",
      },
    ],
  };
}

export function googleErrorInfo(reason: string): Record<string, unknown> {
  return { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason, domain: "googleapis.com" };
}
