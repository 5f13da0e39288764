import type { AttemptRecord, Trace, Usage } from "@tuloy/contract";
import { attemptKinds, dialects, exclusionReasons, failureClasses, operations, outcomes } from "@tuloy/contract";
import fc from "fast-check";

/** Ids as the gateway makes them: twelve digits of time, then chance. */
export function traceId(startedAt: number, rest = "0"): string {
  return startedAt.toString(16).padStart(12, "0") + rest.padStart(20, "0");
}

const usage: Usage = {
  input_tokens: 812,
  cached_input_tokens: 0,
  output_tokens: 211,
  reasoning_tokens: 0,
  source: "provider",
};

const answered: AttemptRecord = {
  deployment: "openai/gpt-4.1",
  provider: "openai",
  model: "gpt-4.1",
  upstream_model: "gpt-4.1",
  region: null,
  key: "default",
  kind: "first",
  trial: false,
  started_ms: 0.414,
  connected_ms: 1.223,
  first_token_ms: 183.25,
  ended_ms: 921.22,
  status: 200,
  failure: null,
  reason: null,
  usage,
  cost_usd: 0.003312,
  drill: null,
};

/** An ordinary success: one attempt, nothing excluded. */
export function aTrace(changes: Partial<Trace> = {}): Trace {
  const startedAt = changes.started_at ?? 1_763_870_000_000;
  return {
    id: traceId(startedAt),
    started_at: startedAt,
    organization: "default",
    workspace: "default",
    environment: "production",
    key: "app",
    operation: "chat",
    dialect: "openai-chat",
    stream: true,
    requested_model: "gpt-4.1",
    model: "gpt-4.1",
    route: "default",
    config_version: "a1b2c3d4e5f6",
    candidates: ["openai/gpt-4.1", "azure-eu/gpt-4.1@eu"],
    exclusions: [],
    attempts: [answered],
    outcome: "succeeded",
    status: 200,
    code: null,
    failover: null,
    provider: "openai",
    first_token_ms: 183.25,
    duration_ms: 922.01,
    usage,
    cost_usd: 0.003312,
    deltas: null,
    tags: {},
    notes: [],
    drill: null,
    ...changes,
  };
}

const millis = fc.nat(10_000_000).map((micros) => micros / 1000);
const money = fc.double({ min: 0, max: 100, noNaN: true, noDefaultInfinity: true });
const text = fc.string({ unit: "grapheme", maxLength: 40 });
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(value, { nil: null });

const usageFields = {
  input_tokens: fc.nat(),
  cached_input_tokens: fc.nat(),
  output_tokens: fc.nat(),
  reasoning_tokens: fc.nat(),
  source: fc.constantFrom("provider", "estimate"),
} as const;

/** What was written to a cache for an hour is part of what was written. */
const anyUsage: fc.Arbitrary<Usage> = fc.oneof(
  fc.record(usageFields),
  fc.record({ ...usageFields, cache_write_tokens: fc.nat() }),
  fc.record({ ...usageFields, cache_write_tokens: fc.nat(), cache_write_1h_tokens: fc.nat() }),
);

const anyAttempt: fc.Arbitrary<AttemptRecord> = fc.record({
  deployment: text,
  provider: text,
  model: text,
  upstream_model: text,
  region: maybe(text),
  key: text,
  kind: fc.constantFrom(...attemptKinds),
  trial: fc.boolean(),
  started_ms: millis,
  connected_ms: maybe(millis),
  first_token_ms: maybe(millis),
  ended_ms: millis,
  status: maybe(fc.integer({ min: 200, max: 599 })),
  failure: maybe(fc.constantFrom(...failureClasses)),
  reason: maybe(text),
  usage: maybe(anyUsage),
  cost_usd: maybe(money),
  drill: maybe(text),
});

const anyBareTrace = fc.record({
  id: fc.stringMatching(/^[0-9a-f]{32}$/),
  started_at: fc.nat(2_000_000_000_000),
  organization: text,
  workspace: text,
  environment: text,
  key: text,
  operation: fc.constantFrom(...operations),
  dialect: fc.constantFrom(...dialects),
  stream: fc.boolean(),
  requested_model: text,
  model: maybe(text),
  route: maybe(text),
  config_version: text,
  candidates: fc.array(text, { maxLength: 4 }),
  exclusions: fc.array(fc.record({ deployment: text, reason: fc.constantFrom(...exclusionReasons), detail: text }), {
    maxLength: 3,
  }),
  attempts: fc.array(anyAttempt, { maxLength: 4 }),
  outcome: fc.constantFrom(...outcomes),
  status: fc.integer({ min: 0, max: 599 }),
  code: maybe(text),
  failover: maybe(fc.constantFrom(...failureClasses)),
  provider: maybe(text),
  first_token_ms: maybe(millis),
  duration_ms: millis,
  usage: maybe(anyUsage),
  cost_usd: maybe(money),
  deltas: maybe(fc.record({ cost_usd: maybe(money), latency_ms: millis })),
  tags: fc.dictionary(
    fc.string({ maxLength: 10 }).filter((name) => name !== "__proto__"),
    text,
    { noNullPrototype: true, maxKeys: 3 },
  ),
  notes: fc.array(text, { maxLength: 3 }),
  drill: maybe(text),
});

const anyEquivalent = fc.record({
  deployment: text,
  score: maybe(fc.double({ min: 0, max: 1, noNaN: true })),
  why: text,
});

/** Every trace that can be, with texts that have quotes, controls, emoji and lone surrogates in them. */
export const anyTrace: fc.Arbitrary<Trace> = fc
  .tuple(anyBareTrace, maybe(fc.array(anyEquivalent, { minLength: 1, maxLength: 3 })))
  .map(([trace, equivalents]) => Object.assign({}, trace, equivalents === null ? {} : { equivalents }));
