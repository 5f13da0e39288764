import { z } from "zod";

import { capabilities, dialects, operations, servedQuantizations } from "./deployment.ts";
import { parseDuration } from "./duration.ts";
import {
  aggressivenesses,
  continuationWays,
  equivalencePolicies,
  fidelities,
  modelReports,
  partialPolicies,
  probeTargets,
  retentions,
  strategies,
} from "./settings.ts";

/**
 * The schema of `tuloy.yaml`. Every field says what it means, in which unit, and what holds when it is absent: the
 * reference page is made from these descriptions.
 */

/** Timers beyond this are a slip of the pen, and Node's own timers overflow at 24.8 days. */
const longestDurationMs = 24 * 3_600_000;

/** A duration as a person writes it, read into milliseconds. */
function duration(shortestMs: number, longestMs = longestDurationMs) {
  return z.string().transform((text, context) => {
    const ms = parseDuration(text);
    const message =
      ms === null
        ? "is not a duration; write for example 250ms, 10s or 9m30s"
        : ms > longestMs
          ? `is longer than ${longestMs === longestDurationMs ? "24h" : `${longestMs / 60_000}m`}`
          : ms < shortestMs
            ? `is shorter than ${shortestMs}ms`
            : null;
    if (ms !== null && message === null) return ms;
    context.issues.push({ code: "custom", message: message ?? "", input: text });
    return z.NEVER;
  });
}

/** A duration, or `off`, which is read into null. */
function durationOrOff(shortestMs: number, longestMs?: number) {
  const inner = duration(shortestMs, longestMs);
  return z.string().transform((text, context) => {
    if (text === "off") return null;
    const read = inner.safeParse(text);
    if (read.success) return read.data;
    const message = read.error.issues[0]?.message ?? "";
    context.issues.push({ code: "custom", message: `${message}, or off`, input: text });
    return z.NEVER;
  });
}

/** `off`, `p95` or a delay, read into what the settings hold; absent stays absent, since null means off. */
function hedgeDelay() {
  const shortestMs = 10;
  return z
    .string()
    .transform((text, context): number | "p95" | "off" => {
      if (text === "off" || text === "p95") return text;
      const ms = parseDuration(text);
      if (ms !== null && ms >= shortestMs && ms <= longestDurationMs) return ms;
      const message =
        ms === null
          ? "is neither off, p95 nor a duration such as 800ms"
          : ms < shortestMs
            ? `is shorter than ${shortestMs}ms`
            : "is longer than 24h";
      context.issues.push({ code: "custom", message, input: text });
      return z.NEVER;
    })
    .meta({ written: `\`off\`, \`p95\` or a duration, at least ${shortestMs}ms` });
}

function name(what: string, pattern: RegExp, rule: string) {
  return z.string().regex(pattern, { error: `is not usable as ${what}: ${rule}` });
}

// A provider's name has no slash and no `@`, since `provider/model` and `@provider/id` are read as locks.
const providerName = name(
  "a provider's name",
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
  "use letters, digits, dots, dashes and underscores, at most 64, beginning with a letter or digit",
);
// A model's name may hold slashes (`meta-llama/llama-3.3-70b`), but no `@`, which separates the region in a deployment's id.
const modelName = name(
  "a model's name",
  /^[A-Za-z0-9][A-Za-z0-9._:/+-]{0,199}$/,
  "use letters, digits and . _ : / + -, at most 200, beginning with a letter or digit",
);
const modelGlob = name(
  "a model pattern",
  /^[A-Za-z0-9*][A-Za-z0-9._:/+*-]{0,199}$/,
  "use a model's name, where * stands for any characters",
);
const plainName = name(
  "a name",
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
  "use letters, digits, dots, dashes and underscores, at most 64, beginning with a letter or digit",
);

const regionName = name("a region", /^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/, "use letters, digits and dashes");
const headerName = name(
  "a header's name",
  /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/,
  "use letters, digits, dashes and underscores, at most 64",
);

/** Sent in a header, so neither spaces nor line breaks nor anything beyond ASCII can be part of it. */
const secretPattern = /^[\x21-\x7e]+$/;
const secretRule = "holds a space, a line break or a character that no HTTP header can carry";

export const environments = ["production", "staging", "development"] as const;
export type Environment = (typeof environments)[number];

export const providerKinds = ["openai", "openai-compatible", "sandbox"] as const;
export type ProviderKind = (typeof providerKinds)[number];

export const sandboxContinuations = ["exact", "echo", "restart", "reject"] as const;
export type SandboxContinuation = (typeof sandboxContinuations)[number];

const server = z
  .strictObject({
    host: z
      .string()
      .min(1, { error: "is empty; write an address such as 127.0.0.1 or 0.0.0.0" })
      .default("127.0.0.1")
      .describe("The address to listen on. Default 127.0.0.1: this machine only. A change needs a restart."),
    port: z
      .int()
      .min(0)
      .max(65_535)
      .default(8787)
      .describe("The TCP port to listen on, 0 for any free one. Default 8787. A change needs a restart."),
  })
  .prefault({})
  .describe("Where the gateway listens.");

const data = z
  .strictObject({
    dir: z
      .string()
      .min(1, { error: "is empty; write a directory such as .tuloy" })
      .default(".tuloy")
      .describe("The directory of the database, made when it is missing. Default .tuloy. A change needs a restart."),
  })
  .prefault({})
  .describe("Where records are kept.");

const apiKey = z
  .strictObject({
    name: plainName.describe("What traces and logs call this key. Unique."),
    value: z
      .string()
      .min(16, {
        error: "is shorter than 16 characters; make a key that nobody guesses, for example with: openssl rand -hex 24",
        // One fault is told once: what is empty also holds no valid character.
        abort: true,
      })
      .regex(secretPattern, { error: secretRule })
      .describe("The key itself, at least 16 characters, best read from the environment: ${TULOY_KEY}."),
    workspace: plainName.default("default").describe("The team or project that asks with it. Default: default."),
    environment: z.enum(environments).default("production").describe("Default production."),
  })
  .describe("One API key that may call the gateway.");

const price = z
  .strictObject({
    input: z.number().nonnegative().describe("USD per million input tokens."),
    output: z.number().nonnegative().describe("USD per million output tokens."),
    cached_input: z
      .number()
      .nonnegative()
      .optional()
      .describe("USD per million input tokens read from the provider's prompt cache. Default: as input."),
  })
  .describe("What this provider charges. Default: the built-in list price of the provider's kind; else unknown.");

const context = z.int().positive();
const abilities = z.array(z.enum(capabilities));
const dimensions = z.int().positive().max(65_536);

const parameterName = z.string().min(1, { error: "is empty" }).max(100);

const parameters = z
  .strictObject({
    takes: z
      .array(parameterName)
      .optional()
      .describe(
        "All that it takes, as the request spells it: temperature, top_p, max_tokens, … Default: unknown, so anything is sent.",
      ),
    refuses: z
      .array(parameterName)
      .optional()
      .describe("What it does not take. Default: what its kind is known to refuse for the model."),
    max_stops: z
      .int()
      .nonnegative()
      .optional()
      .describe("The most stop sequences. Default: its kind's limit, else unknown."),
  })
  .describe(
    "Which request parameters it takes. Another spelling is used where there is one (max_tokens and max_completion_tokens, reasoning and reasoning_effort); what shapes the answer excludes this deployment; the rest is left out, which the trace notes.",
  );

const providerModel = z
  .strictObject({
    id: z
      .string()
      .min(1, {
        error: "is empty; write the provider's own id of the model, or leave it out when it is the same",
        abort: true,
      })
      .max(300)
      .regex(/^[^\p{Cc}]+$/u, { error: "holds a control character" })
      .optional()
      .describe(
        "The provider's own id of the model: what is sent upstream. Default: the provider kind's own id, else the model's name.",
      ),
    price: price.optional(),
    context: context
      .optional()
      .describe("Tokens that fit, input and output together, where this provider differs. Default: the model's."),
    capabilities: abilities
      .optional()
      .describe(
        "What the model can do at this provider beyond plain text. Default: the model's; unknown excludes nothing.",
      ),
    max_output: context
      .optional()
      .describe("The longest answer in tokens, where this provider differs. Default: the model's."),
    quantization: z
      .enum(servedQuantizations)
      .optional()
      .describe(
        "The precision of the weights here; full: as the author serves it. Default: full for the model's own author, else unknown.",
      ),
    operation: z.enum(operations).optional().describe("Default: the model's, else chat."),
    dialect: z
      .enum(dialects)
      .optional()
      .describe(
        "The only wire format in which this model is asked for here, where the kind has several. Default: the client's own where the kind has it, else the kind's first.",
      ),
    dimensions: dimensions
      .optional()
      .describe("Length of the vectors of an embedding model. All deployments of one model must agree."),
    parameters: parameters.optional(),
  })
  .describe("How this provider serves one model. Empty: with the built-in facts.");

const keyLimits = z
  .strictObject({
    rpm: z.int().positive().optional().describe("Requests a minute. Default: no limit known."),
    tpm: z.int().positive().optional().describe("Tokens a minute. Default: no limit known."),
    concurrency: z.int().positive().optional().describe("Requests in flight. Default: no limit known."),
  })
  .describe("The limits this key has at its provider, so that Tuloy need not run into them.");

const providerKey = z
  .strictObject({
    name: plainName.optional().describe("What traces and logs call this key. Default key-1, key-2, … in order."),
    value: z
      .string()
      .min(1, { error: "is empty", abort: true })
      .regex(secretPattern, { error: secretRule })
      .describe("The credential, best read from the environment: ${OPENAI_API_KEY}."),
    weight: z
      .number()
      .positive()
      .max(1_000_000)
      .default(1)
      .describe("Its share of the requests against the provider's other keys. Default 1."),
    limits: keyLimits.prefault({}),
    environments: z
      .array(z.enum(environments))
      .min(1)
      .optional()
      .describe("Only requests of these environments may use it. Default: any."),
    workspaces: z
      .array(plainName)
      .min(1)
      .optional()
      .describe("Only requests of these workspaces may use it. Default: any."),
  })
  .describe("One credential at a provider.");

const sandbox = z
  .strictObject({
    tokens_per_second: z
      .number()
      .positive()
      .max(100_000)
      .default(80)
      .describe("How fast the simulated answer is written, in tokens a second. Default 80."),
    first_token: duration(0)
      .prefault("150ms")
      .describe("How long the simulated provider thinks before its first token. Default 150ms."),
    answer_tokens: z
      .int()
      .positive()
      .max(100_000)
      .optional()
      .describe("About how many tokens an answer has. Default: 40 to 120, by the prompt."),
    continuation: z
      .enum(sandboxContinuations)
      .default("exact")
      .describe(
        "What it does with a last assistant message. exact: goes on from there; echo: says it again first; restart: ignores it and starts over; reject: answers 400. Default exact.",
      ),
    prompt_faults: z
      .boolean()
      .default(false)
      .describe(
        "A last user message that holds [[fault:name]] makes the provider fail in that way. Default false: only for trying out.",
      ),
  })
  .describe("How the simulated provider behaves. Only for kind: sandbox.");

const probes = z
  .strictObject({
    every: durationOrOff(1000)
      .optional()
      .describe(
        "A deployment that neither traffic nor a probe reached for this long is probed; off: no probe is ever sent. Default: 1m for a private provider, else 5m.",
      ),
    targets: z
      .enum(probeTargets)
      .optional()
      .describe(
        "all: everything it serves; backups: only what may stand in for a deployment of the same model that had traffic within the last day. Default: all for a private provider, else backups.",
      ),
    jitter: z
      .number()
      .min(0)
      .max(0.5)
      .default(0.2)
      .describe(
        "Each interval is longer or shorter by up to this share, so that replicas do not keep step. Default 0.2.",
      ),
    daily_cost: z
      .number()
      .nonnegative()
      .default(0.1)
      .describe(
        "USD that all its probes may cost on one day (UTC). Once that is spent there is an alert, and no further probe that costs something. Default 0.1.",
      ),
  })
  .describe(
    "The smallest real requests, sent to deployments that had no traffic, so that what is known of them is fresh.",
  );

const provider = z
  .strictObject({
    kind: z
      .enum(providerKinds)
      .describe(
        "openai; openai-compatible: any server that speaks OpenAI's dialect, such as vLLM; sandbox: a built-in simulated provider.",
      ),
    base_url: z
      .string()
      .optional()
      .describe("Where its API is, with its path: https://api.example.com/v1. Default: the kind's own address."),
    region: regionName
      .optional()
      .describe(
        "Where it computes, for example eu or eu-west-1. Default: unknown, which like global is outside every pinned region.",
      ),
    visibility: z
      .enum(["public", "private"])
      .optional()
      .describe(
        "private permits a base_url on a private network, and only its own organization sees it. Default: private when base_url holds a private address or localhost, else public.",
      ),
    retains: z
      .boolean()
      .optional()
      .describe("Whether it keeps what it is sent. Default: unknown, so that a request with zdr does not go there."),
    trains: z
      .boolean()
      .optional()
      .describe(
        "Whether it trains on what it is sent. Default: unknown, so that a request with data_collection: deny does not go there.",
      ),
    keys: z
      .array(providerKey)
      .default([])
      .describe("Its credentials. Default: none, which self-hosted servers accept and others do not."),
    models: z
      .record(modelName, providerModel.nullable())
      .optional()
      .describe("The models it serves, by canonical name. Default: every model that Tuloy knows its kind to serve."),
    probes: probes.prefault({}),
    continuation: z
      .enum(continuationWays)
      .optional()
      .describe(
        "How it goes on with an answer that broke off. assistant-prefix: from a last assistant message (llama.cpp, Groq); vllm: vLLM and SGLang; deepseek; mistral; none: it cannot. Default: the kind's way; for openai-compatible it is found out by a small request before the first use.",
      ),
    sandbox: sandbox.optional(),
  })
  .describe("A company or server that serves models.");

const model = z
  .strictObject({
    context: context.optional().describe("Tokens that fit, input and output together. Default: the built-in fact."),
    capabilities: abilities.optional().describe("What it can do beyond plain text. Default: the built-in fact."),
    operation: z.enum(operations).optional().describe("Default: the built-in fact, else chat."),
    dimensions: dimensions.optional().describe("Length of an embedding model's vectors. Default: the built-in fact."),
    max_output: context.optional().describe("The longest answer in tokens. Default: the built-in fact."),
    tier: z
      .int()
      .min(1)
      .max(5)
      .optional()
      .describe(
        "How able it is, from 1 (smallest) to 5 (the best there is), for finding near equivalents. Default: the built-in fact; else unknown.",
      ),
    equivalents: z
      .array(modelName)
      .min(1)
      .max(20)
      .optional()
      .describe(
        "Models that may stand in for it, in this order, on routes with equivalents: listed or nearest. Default: none.",
      ),
  })
  .describe("Facts about a model, over the built-in ones.");

const breaker = z
  .strictObject({
    failures: z
      .int()
      .positive()
      .max(1000)
      .optional()
      .describe("Failures in a row that open it. Default: the preset's."),
    rate: z
      .number()
      .gt(0)
      .max(1)
      .optional()
      .describe("Share of failures within the window that opens it, above 0 to 1. Default: the preset's."),
    of: z
      .int()
      .positive()
      .max(100_000)
      .optional()
      .describe("Attempts within the window before the share counts. Default: the preset's."),
    window: duration(1000, 5 * 60_000)
      .optional()
      .describe("How far back the share looks, at most 5m. Default: the preset's."),
    open: duration(100)
      .optional()
      .describe("The first open period; each further one in a row is twice as long. Default: the preset's."),
    open_max: duration(100).optional().describe("The longest open period. Default: the preset's."),
    slow: durationOrOff(10)
      .optional()
      .describe(
        "A stream whose first content takes longer counts as slow, though it answers in the end. Default: off, since only you know what is normal for a model.",
      ),
    slow_rate: z
      .number()
      .gt(0)
      .max(1)
      .optional()
      .describe("Share of slow answers within the window that opens it, once there were of attempts. Default 0.8."),
  })
  .describe("When a deployment is taken out of service, and for how long.");

const failover = z
  .strictObject({
    attempts: z
      .int()
      .positive()
      .max(20)
      .optional()
      .describe("Upstream calls a request may make. Default: the preset's."),
    deadline: duration(100).optional().describe("For the whole request, all attempts together. Default: the preset's."),
    connect: duration(10).optional().describe("To connect to a provider. Default: the preset's."),
    first_token: duration(10)
      .optional()
      .describe("To the first content of a stream; longer for models that reason first. Default: the preset's."),
    answer: duration(10).optional().describe("To a whole answer that is not streamed. Default: the preset's."),
    stall: duration(10).optional().describe("Without any byte, once content was sent. Default: the preset's."),
    progress: duration(10)
      .optional()
      .describe("With bytes but no content, once content was sent. Default: the preset's."),
    patience: duration(0).optional().describe("The longest Retry-After worth waiting for. Default: the preset's."),
    breaker: breaker.prefault({}),
    on_partial: z
      .enum(partialPolicies)
      .optional()
      .describe(
        "What becomes of a stream that breaks after content was sent. continue: another deployment completes it where that gives one answer; continue-soft: else it is asked to go on from the last words; hold: nothing is sent before the answer is whole; error: the client is told. Default continue.",
      ),
    hedge: hedgeDelay()
      .optional()
      .describe(
        "When a second deployment is called beside one that has not answered yet; the first to answer wins, the other is cancelled. off; after a fixed delay; or p95: after the 95th percentile of what that deployment took lately. Default: the preset's.",
      ),
    max_cost_multiplier: z
      .number()
      .positive()
      .max(1000)
      .optional()
      .describe(
        "A backup may cost at most this many times the primary, by the estimated price of the request; 1.2 is a fifth more. Default: no cap.",
      ),
  })
  .describe("How hard to try. Each field overrides what the aggressiveness sets.");

const match = z
  .strictObject({
    operation: z.enum(operations).optional().describe("Only this operation. Default: any."),
    models: z
      .array(modelGlob)
      .min(1)
      .optional()
      .describe("Only models whose canonical name matches one of these; * stands for any characters. Default: any."),
    workspaces: z.array(plainName).min(1).optional().describe("Only requests of these workspaces. Default: any."),
    environments: z
      .array(z.enum(environments))
      .min(1)
      .optional()
      .describe("Only requests of these environments. Default: any."),
    header: z
      .record(headerName, z.string().max(1000))
      .refine((headers) => Object.keys(headers).length > 0, { error: "is empty; name a header, or leave it out" })
      .optional()
      .describe("Only requests with these headers, each with exactly this value. Default: any."),
  })
  .describe("Which requests it applies to. All given fields must hold. Default: every request.");

const maxPrice = z
  .strictObject({
    input: z.number().nonnegative().optional().describe("USD per million input tokens. Default: no cap."),
    output: z.number().nonnegative().optional().describe("USD per million output tokens. Default: no cap."),
    request: z.number().nonnegative().optional().describe("USD for the whole request, estimated. Default: no cap."),
  })
  .describe("Only deployments at or below these prices; one whose price is unknown is not used. Default: no cap.");

const route = z
  .strictObject({
    name: plainName.describe("What traces call it. Unique."),
    match: match.prefault({}),
    strategy: z
      .enum(strategies)
      .optional()
      .describe(
        "How candidates are ordered. order: as listed; latency: the quickest to its first token; cost: the cheapest for this request; weighted: by weights. Default order, or weighted where there are weights.",
      ),
    providers: z
      .array(providerName)
      .min(1)
      .optional()
      .describe(
        "Providers it may use, in order of preference. Default: all that serve the model, in the file's order.",
      ),
    weights: z
      .record(providerName, z.number().nonnegative().max(1_000_000))
      .refine((weights) => Object.values(weights).some((weight) => weight > 0), {
        error: "gives no provider a share; give at least one a number above 0",
      })
      .optional()
      .describe(
        "Each provider's share of the requests, for strategy: weighted. One that is not named, or has 0, is only a backup. Default: equal shares.",
      ),
    regions: z
      .array(regionName)
      .min(1)
      .optional()
      .describe(
        "Only deployments in these regions; eu holds eu-west-1. A request fails rather than leaves them. Default: any.",
      ),
    fidelity: z
      .enum(fidelities)
      .default("same")
      .describe(
        "same: a backup's quantization is not below that of the first provider that serves the model, unknown counts as full; strict: one of unknown quantization is not used. Default same.",
      ),
    quantizations: z
      .array(z.enum(servedQuantizations))
      .min(1)
      .optional()
      .describe("Only deployments of these, instead of what fidelity compares. Default: by fidelity."),
    max_price: maxPrice.optional(),
    equivalents: z
      .enum(equivalencePolicies)
      .default("off")
      .describe(
        "Whether another model may stand in when no deployment of the asked one answers. off: only those that the request lists; listed: also the models' equivalents; nearest: also the nearest by score; never: none. Default off.",
      ),
    aggressiveness: z
      .enum(aggressivenesses)
      .default("balanced")
      .describe("How quickly a provider is given up: patient, balanced or eager. Default balanced."),
    failover: failover.prefault({}),
    report_model: z
      .enum(modelReports)
      .default("answered")
      .describe(
        "What `model` in an answer's body says. Default answered: the provider's own name of the model that answered; requested: what the request asked for, always.",
      ),
    retention: z
      .enum(retentions)
      .default("metadata")
      .describe(
        "What is kept of prompts and answers. metadata: the answer to a request with an Idempotency-Key, encrypted, for 24 hours, and a provider's words about an error in the trace. none: neither. Default metadata.",
      ),
  })
  .describe("A policy and what it applies to.");

export const configSchema = z
  .strictObject({
    server,
    data,
    keys: z
      .array(apiKey)
      .default([])
      .describe("Who may call. Default: one key is made at the first start and printed once."),
    providers: z
      .record(providerName, provider)
      // A missing group is an empty one, so that both get the same advice.
      .prefault({})
      .refine((providers) => Object.keys(providers).length > 0, {
        error: "names no provider; the smallest useful file is, for example: providers: { sandbox: { kind: sandbox } }",
      })
      .describe("Who serves models, in order of preference. At least one."),
    models: z.record(modelName, model).default({}).describe("Models beyond the built-in ones, or facts that differ."),
    routes: z
      .array(route)
      .default([])
      .describe("Policies. The first match wins; a route named default that matches everything follows the last."),
  })
  .describe("The file tuloy.yaml.");

/** A valid configuration, with its defaults filled in. Durations are milliseconds. */
export type Config = z.output<typeof configSchema>;
export type ProviderConfig = z.output<typeof provider>;
export type ProviderModelConfig = z.output<typeof providerModel>;
export type SandboxConfig = z.output<typeof sandbox>;
export type RouteConfig = z.output<typeof route>;
export type FailoverConfig = z.output<typeof failover>;
