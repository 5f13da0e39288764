import type { AttemptRecord, Trace, Usage } from "@tuloy/contract";

const usage: Usage = {
  input_tokens: 812,
  cached_input_tokens: 0,
  output_tokens: 211,
  reasoning_tokens: 0,
  source: "provider",
};

/** openai answered at once. */
export function anAttempt(changes: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    deployment: "openai/gpt-4.1",
    provider: "openai",
    model: "gpt-4.1",
    upstream_model: "gpt-4.1",
    region: null,
    key: "default",
    kind: "first",
    trial: false,
    started_ms: 0.4,
    connected_ms: 1.2,
    first_token_ms: 180,
    ended_ms: 920,
    status: 200,
    failure: null,
    reason: null,
    usage,
    cost_usd: 0.003312,
    drill: null,
    ...changes,
  };
}

/** An ordinary success: one attempt, nothing excluded. */
export function aTrace(changes: Partial<Trace> = {}): Trace {
  return {
    id: "019ab0123456789abcdef0123456789a",
    started_at: 1_763_870_000_000,
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
    attempts: [anAttempt()],
    outcome: "succeeded",
    status: 200,
    code: null,
    failover: null,
    provider: "openai",
    first_token_ms: 180,
    duration_ms: 921,
    usage,
    cost_usd: 0.003312,
    deltas: null,
    tags: {},
    notes: [],
    drill: null,
    ...changes,
  };
}

const overloaded = anAttempt({
  first_token_ms: null,
  ended_ms: 240,
  status: 503,
  failure: "overloaded",
  reason: "the provider says that it is overloaded",
  usage: null,
  cost_usd: null,
});

const twin = anAttempt({
  deployment: "azure-eu/gpt-4.1@eu",
  provider: "azure-eu",
  region: "eu",
  key: "a",
  kind: "twin",
  started_ms: 241,
  connected_ms: 246.5,
  first_token_ms: 500,
  ended_ms: 1000,
  cost_usd: 0.0036,
});

/** openai was overloaded; its twin at azure-eu answered. */
export function aFailover(changes: Partial<Trace> = {}): Trace {
  return aTrace({
    exclusions: [
      { deployment: "groq/gpt-4.1", reason: "capability", detail: "the request uses tools, which it does not support" },
    ],
    candidates: ["openai/gpt-4.1", "azure-eu/gpt-4.1@eu", "backup/gpt-4.1"],
    attempts: [overloaded, twin],
    failover: "overloaded",
    provider: "azure-eu",
    first_token_ms: 500,
    duration_ms: 1000,
    cost_usd: 0.0036,
    deltas: { cost_usd: 0.000288, latency_ms: 241 },
    tags: { team: "search" },
    notes: ["the stream's [DONE] was added"],
    ...changes,
  });
}

/** openai was overloaded and azure-eu could not be reached. */
export function aLoss(changes: Partial<Trace> = {}): Trace {
  const refused = { first_token_ms: null, status: null, failure: "refused", usage: null, cost_usd: null } as const;
  return aFailover({
    attempts: [overloaded, { ...twin, ...refused }],
    outcome: "failed",
    status: 502,
    code: "upstream_failed",
    provider: null,
    first_token_ms: null,
    usage: null,
    cost_usd: null,
    deltas: null,
    notes: [],
    tags: {},
    ...changes,
  });
}
