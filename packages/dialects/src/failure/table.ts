import type { FailureClass } from "@tuloy/contract";

/** A signal that means the same at every provider. All given fields must match. */
export interface Signal {
  /** One of the error object's machine-readable codes. */
  readonly code?: string | RegExp;
  /** Found in the error's message, which is compared in lower case. */
  readonly message?: string | RegExp;
  /** Only under these statuses. An error that came without one (inside a stream) is not held to it. */
  readonly statuses?: readonly number[];
  readonly class: FailureClass;
  readonly auth?: "rejected" | "forbidden";
  readonly because: string;
}

/** Statuses under which a request may be refused for what it asks. */
const refusals = [400, 413, 422, 500] as const;

/**
 * What errors say, most telling first: codes, then messages where providers have no code for it, then types, which several
 * causes share. The rows are tried for an error's first code, then its next (so a `code` counts before a `type`).
 */
export const codeSignals: readonly Signal[] = [
  // Money. A waiting client would wait for ever, so these come before anything that means "slow down".
  { code: "insufficient_quota", class: "quota_exhausted", because: "OpenAI 429: no credit, or a limit is reached" },
  { code: "credit_balance_exhausted", class: "quota_exhausted", because: "OpenAI 429: prepaid credit is used up" },
  {
    code: /_(?:spend|usage)_limit_(?:exceeded|reached)$/,
    class: "quota_exhausted",
    because: "OpenAI 429: a monthly limit of the organization or project; Anthropic 429 enforced_spend_limit_reached",
  },
  {
    code: "billing_hard_limit_reached",
    class: "quota_exhausted",
    because: "OpenAI 400 and 429: the older name of a spend limit",
  },
  { code: "billing_not_active", class: "quota_exhausted", because: "OpenAI 429: the account is not paid for" },
  { code: "billing_error", class: "quota_exhausted", because: "Anthropic 402" },
  { code: "insufficient_balance", class: "quota_exhausted", because: "DeepSeek, MiniMax: prepaid credit is used up" },

  // Limits that pass.
  { code: "rate_limit_exceeded", class: "rate_limited", because: "OpenAI 429; Groq also sends it under 413" },
  { code: "slow_down", class: "rate_limited", because: "OpenAI 429: the rate rose too fast" },

  // The server has too much to do.
  { code: "server_is_overloaded", class: "overloaded", because: "OpenAI 503" },
  {
    code: /^(?:engine_)?overloaded(?:_error)?$/,
    class: "overloaded",
    because: "Anthropic 529, also inside streams; Moonshot",
  },
  { code: "UNAVAILABLE", class: "overloaded", because: "Google 503: the model is overloaded" },
  { code: "unavailable_error", class: "overloaded", because: "llama.cpp 503 while it loads its model" },

  // The request is longer than the model's window.
  { code: "context_length_exceeded", class: "context_length", because: "OpenAI, Azure, Groq, newer vLLM" },
  { code: "exceed_context_size_error", class: "context_length", because: "llama.cpp, under 400 or 500" },
  { code: "context_window_exceeded", class: "context_length", because: "gateways in front of several providers" },

  // A filter refused. Another deployment would only evade it.
  { code: "content_filter", class: "content_filter", because: "Azure 400" },
  { code: "content_policy_violation", class: "content_filter", because: "OpenAI 400" },
  { code: "ResponsibleAIPolicyViolation", class: "content_filter", because: "Azure 400, in innererror" },
  { code: "moderation_blocked", class: "content_filter", because: "OpenAI 400" },
  {
    code: /^(?:bio_policy|misalignment_policy_violation|image_content_policy_violation)$/,
    class: "content_filter",
    because: "OpenAI's Responses API, in the `error` of a response that failed",
  },
  { code: "data_inspection_failed", class: "content_filter", because: "Alibaba 400" },

  // The request is at fault.
  {
    code: /^(?:invalid_(?:base64_)?image(?:_format|_url|_mode)?|image_(?:too_large|too_small|parse_error|file_too_large|file_not_found)|unsupported_image_media_type|empty_image_file|failed_to_download_image|data_residency_mismatch)$/,
    class: "invalid_request",
    because: "OpenAI's Responses API, in the `error` of a response that failed",
  },
  {
    code: "vector_store_timeout",
    class: "server_error",
    because: "OpenAI's Responses API, in the `error` of a response that failed",
  },

  // The model is not there for this key.
  { code: "model_not_found", class: "model_missing", because: "OpenAI 404, and 403 where a project may not use it" },
  { code: "DeploymentNotFound", class: "model_missing", because: "Azure 404" },
  { code: "model_decommissioned", class: "model_missing", because: "Groq 400" },
  { code: "invalid_model", class: "model_missing", because: "Mistral 400" },
  { code: "model_not_available", class: "model_missing", because: "Together 400 and 404" },

  // The key. OpenAI's codes under 401; some servers send them under 400.
  {
    code: /^(?:invalid_api_key|API_KEY_INVALID|invalid_authentication|account_deactivated|token_expired|token_revoked)$/,
    class: "auth",
    auth: "rejected",
    because: "the key is wrong, revoked or expired: OpenAI 401, Google 400",
  },
];

/** What is only said in words. */
export const messageSignals: readonly Signal[] = [
  {
    message: "credit balance is too low",
    statuses: [400, 402, 403, 429],
    class: "quota_exhausted",
    because: "Anthropic answers 400 invalid_request_error when prepaid credit is used up",
  },
  {
    message: /\b(?:api )?usage limits?\b.*\b(?:reached|regain|exceeded)|reached your specified api usage limits/,
    statuses: [400, 402, 403, 429],
    class: "quota_exhausted",
    because: "Anthropic answers 400 invalid_request_error when a workspace's own limit is reached",
  },
  {
    message:
      /used all available credits|insufficient (?:balance|credits|funds)|exceeded your current quota, please check your plan/,
    statuses: [400, 402, 403, 429],
    class: "quota_exhausted",
    because: "xAI 403, DeepSeek and OpenRouter 402, and proxies that drop OpenAI's code",
  },
  {
    message:
      /(?:maximum|model's|the) context (?:length|size|window)|available context size|maximum model length|longer than the model's context/,
    statuses: refusals,
    class: "context_length",
    because: "vLLM, SGLang, Mistral, llama.cpp and Ollama (embeddings) have no or a numeric code",
  },
  {
    message:
      /prompt is too long|exceeds? (?:the )?context limit|input is too long for|input token count .* exceeds the maximum/,
    statuses: refusals,
    class: "context_length",
    because: "Anthropic, Bedrock and Google have no code for it",
  },
  {
    message: /`inputs` tokens \+ `max_new_tokens` must be|`inputs` must have less than/,
    statuses: refusals,
    class: "context_length",
    because: "Hugging Face TGI 422",
  },
  {
    message: /flagged as potentially violating|requires moderation|content management policy|blocked by content filter/,
    statuses: [400, 403],
    class: "content_filter",
    because: "OpenAI invalid_prompt, OpenRouter 403, and proxies that drop Azure's code",
  },
  {
    message: /incorrect api key|invalid api key|api key not valid|api key expired/,
    statuses: [400, 401, 403],
    class: "auth",
    auth: "rejected",
    because: "xAI and Google answer 400 to a wrong key",
  },
  {
    message:
      /\bmodels?\b.*(?:does ?n[o']t exist|not found|not exist|is not available|no longer available|is not supported)|unknown model|no such model/,
    statuses: [404],
    class: "model_missing",
    because: "vLLM, Ollama and Mistral say it in words under 404",
  },
  {
    message: /^model: /,
    statuses: [404],
    class: "model_missing",
    because: "Anthropic 404 names the model and says no more",
  },
  {
    message: /is not a valid model id|no endpoints found for/,
    statuses: [400, 404],
    class: "model_missing",
    because: "OpenRouter has numeric codes only",
  },
];

/** Types that say enough when neither code nor message did. */
export const typeSignals: readonly Signal[] = [
  { code: "rate_limit_error", class: "rate_limited", because: "Anthropic, OpenAI" },
  {
    code: /^(?:requests|tokens|RESOURCE_EXHAUSTED|rate_limit_reached|too_many_requests)$/,
    class: "rate_limited",
    because: "OpenAI's types of 429, Google, others",
  },
  { code: "authentication_error", class: "auth", auth: "rejected", because: "Anthropic, llama.cpp, OpenAI" },
  { code: /^(?:permission_error|PERMISSION_DENIED)$/, class: "auth", auth: "forbidden", because: "Anthropic, Google" },
  {
    code: /^(?:server_error|api_error|internal_server_error|InternalServerError|timeout_error|INTERNAL|DEADLINE_EXCEEDED)$/,
    statuses: [408, 500, 502, 504],
    class: "server_error",
    because: "OpenAI, Anthropic, vLLM, Google",
  },
  { code: "ServiceUnavailableError", class: "overloaded", because: "vLLM" },
  {
    code: /^(?:invalid_request_error|BadRequestError|INVALID_ARGUMENT)$/,
    statuses: [400, 404, 413, 422],
    class: "invalid_request",
    because: "OpenAI, Anthropic, vLLM, Google: the request itself is at fault",
  },
];

/** What a status means when nothing else said more. */
export const statusClasses: ReadonlyMap<
  number,
  { readonly class: FailureClass; readonly auth?: "rejected" | "forbidden"; readonly because: string }
> = new Map([
  [401, { class: "auth", auth: "rejected", because: "the key is not accepted" }],
  [402, { class: "quota_exhausted", because: "payment required: Anthropic, DeepSeek, OpenRouter" }],
  [403, { class: "auth", auth: "forbidden", because: "the key may not do this" }],
  [408, { class: "server_error", because: "the server gave up waiting" }],
  [429, { class: "rate_limited", because: "too many requests" }],
  [498, { class: "overloaded", because: "Groq: flex capacity exceeded" }],
  [503, { class: "overloaded", because: "service unavailable" }],
  [529, { class: "overloaded", because: "Anthropic: overloaded" }],
]);

const exactCodes: ReadonlySet<string> = new Set(
  [...codeSignals, ...typeSignals].flatMap(({ code }) => (typeof code === "string" ? [code] : [])),
);

/** Whether a code is one of those that providers are known to send: then it quotes nobody. */
export function isKnownCode(code: string): boolean {
  return exactCodes.has(code);
}
