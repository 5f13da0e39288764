/** What a fault may be told: after how many tokens it strikes, or how many milliseconds it lasts. */
type Parameter = "tokens" | "ms";

interface FaultDescription {
  readonly description: string;
  /** The meaning of the number after the colon in `name:number`, and its value when it is left out. */
  readonly parameter: { readonly unit: Parameter; readonly fallback: number } | null;
}

const fiveTokens = { unit: "tokens", fallback: 5 } as const;

/**
 * Every fault of the simulated provider, described in words for the console, the command line and the playground.
 * What is said of streams holds for JSON answers as far as it can: they stop half-way instead of after some tokens.
 */
export const sandboxFaults = {
  refuse: { description: "The server is gone: connections are refused and open ones are dropped.", parameter: null },
  reset: { description: "The connection is reset before any byte of the answer.", parameter: null },
  hang: { description: "The request is accepted and never answered.", parameter: null },
  "headers-then-silence": { description: "Status 200 and headers, then nothing.", parameter: null },
  comments: {
    description: "Status 200, then only `: PROCESSING` comments for ever (white space, for a JSON answer).",
    parameter: null,
  },
  "slow-first-token": {
    description: "The answer is good, but its first token comes late.",
    parameter: { unit: "ms", fallback: 20_000 },
  },
  stall: { description: "The stream stops after some tokens and stays open.", parameter: fiveTokens },
  cut: { description: "The connection is dropped after some tokens.", parameter: fiveTokens },
  truncate: {
    description: "The stream ends in good order after some tokens, without a finish reason.",
    parameter: fiveTokens,
  },
  malformed: { description: "One event in an otherwise good stream is broken JSON.", parameter: fiveTokens },
  "no-done": {
    description: "The stream ends after its finish reason, without `[DONE]`. JSON answers are good.",
    parameter: null,
  },
  empty: { description: "A whole answer with no content and no tokens.", parameter: null },
  html: { description: "Status 200 with an HTML page, as a misconfigured proxy answers.", parameter: null },
  "error-event": { description: "Status 200, then an error object instead of the answer.", parameter: null },
  "500": { description: "Status 500: an internal error.", parameter: null },
  "503": { description: "Status 503: overloaded.", parameter: null },
  "529": { description: "Status 529: overloaded, as Anthropic says it.", parameter: null },
  "429": {
    description:
      "Status 429: rate limited, with the time to wait (in `retry-after` for whole seconds, else in `retry-after-ms`).",
    parameter: { unit: "ms", fallback: 2_000 },
  },
  quota: {
    description: "Status 429 with the code insufficient_quota: the account has no credit left.",
    parameter: null,
  },
  "401": { description: "Status 401: the API key is not valid.", parameter: null },
  "403": { description: "Status 403: the API key may not use this model.", parameter: null },
  "404": { description: "Status 404: there is no such model.", parameter: null },
} as const satisfies Record<string, FaultDescription>;

export type SandboxFaultName = keyof typeof sandboxFaults;

export const faultNames: readonly string[] = Object.keys(sandboxFaults);

type NamesWith<P extends Parameter> = {
  [N in SandboxFaultName]: (typeof sandboxFaults)[N]["parameter"] extends { unit: P } ? N : never;
}[SandboxFaultName];
type NamesWithout = Exclude<SandboxFaultName, NamesWith<Parameter>>;

/** A fault and its parameter. `tokens`: how many are sent before it strikes. `ms`: how long it lasts. */
export type SandboxFault =
  | { readonly name: NamesWithout }
  | { readonly name: NamesWith<"tokens">; readonly tokens: number }
  | { readonly name: NamesWith<"ms">; readonly ms: number };

/** The faults that are nothing but an error answer. */
export const errorAnswers = {
  "500": {
    status: 500,
    type: "server_error",
    code: null,
    message: "The server had an error while processing the request.",
  },
  "503": {
    status: 503,
    type: "server_error",
    code: null,
    message: "The server is overloaded. Please try again later.",
  },
  "529": { status: 529, type: "overloaded_error", code: "overloaded_error", message: "Overloaded" },
  "429": { status: 429, type: "requests", code: "rate_limit_exceeded", message: "Rate limit reached for requests." },
  quota: {
    status: 429,
    type: "insufficient_quota",
    code: "insufficient_quota",
    message: "You exceeded your current quota.",
  },
  "401": { status: 401, type: "invalid_request_error", code: "invalid_api_key", message: "The API key is not valid." },
  "403": {
    status: 403,
    type: "invalid_request_error",
    code: "model_access_denied",
    message: "This key may not use the model.",
  },
  "404": { status: 404, type: "invalid_request_error", code: "model_not_found", message: "The model does not exist." },
} as const satisfies Partial<Record<SandboxFaultName, ApiError>>;

/** An error in OpenAI's form, with its status. */
export interface ApiError {
  readonly status: number;
  readonly type: string;
  readonly code: string | null;
  readonly message: string;
}

/** Reads `name` or `name:number`, as the header `x-sandbox-fault` and prompts give it; null when it is neither. */
export function parseFault(text: string): SandboxFault | null {
  const [, name = "", number] = /^([a-z0-9-]+)(?::(\d{1,9}))?$/.exec(text.trim()) ?? [];
  if (!isFaultName(name)) return null;
  if (number !== undefined && sandboxFaults[name].parameter === null) return null;
  return faultNamed(name, number === undefined ? undefined : Number(number));
}

/** The fault of that name; without a value, with its fallback. A value is ignored where the fault takes none. */
export function faultNamed(name: SandboxFaultName, value?: number): SandboxFault {
  if (takes(name, "tokens")) return { name, tokens: value ?? sandboxFaults[name].parameter.fallback };
  if (takes(name, "ms")) return { name, ms: value ?? sandboxFaults[name].parameter.fallback };
  return { name };
}

function takes<P extends Parameter>(name: SandboxFaultName, unit: P): name is NamesWith<P> {
  return sandboxFaults[name].parameter?.unit === unit;
}

function isFaultName(name: string): name is SandboxFaultName {
  return Object.hasOwn(sandboxFaults, name);
}
