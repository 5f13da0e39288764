import { z } from "zod";

import { environments } from "./config/index.ts";
import { operations } from "./deployment.ts";
import { parseDuration } from "./duration.ts";

/**
 * The control plane, `/control/v1/*`: what it takes and what it gives. One form of error for all of it. Names are those of
 * the configuration; times are milliseconds since 1970.
 */

/** Every error of the control plane, with its HTTP status. */
export const controlErrors = {
  invalid_request: 400,
  production_excluded: 400,
  invalid_control_key: 401,
  forbidden_origin: 403,
  not_found: 404,
  conflict: 409,
  request_too_large: 413,
  unsupported_media_type: 415,
  internal_error: 500,
  shutting_down: 503,
} as const satisfies Record<string, number>;

export type ControlErrorCode = keyof typeof controlErrors;

export const controlError = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/** The longest a drill can last, and how long it does when nothing is said. Milliseconds. */
export const drillDuration = { longestMs: 3_600_000, shortestMs: 1000, defaultMs: 120_000 } as const;

const forText = z
  .string()
  .transform((text, context) => {
    const ms = parseDuration(text);
    if (ms !== null && ms >= drillDuration.shortestMs && ms <= drillDuration.longestMs) return ms;
    context.issues.push({
      code: "custom",
      message: ms === null ? "is not a duration; write for example 30s or 2m" : "must be from 1s to 1h",
      input: text,
    });
    return z.NEVER;
  })
  .describe("How long it lasts, from 1s to 1h. Default 2m.");

const label = z.string().min(1).max(64);

const drillScope = z
  .strictObject({
    environment: z.enum(environments).optional(),
    workspace: label.optional(),
    key: label.optional().describe("The name of an API key."),
    tags: z.record(label, label).default({}).describe("As requests give them in x-tuloy-tags."),
  })
  .prefault({})
  .describe("Whose requests it touches: all conditions must hold. Without an environment: every one but production.");

/** What starts a drill. */
export const drillRequest = z.strictObject({
  provider: z.string(),
  model: z.string().optional().describe("Only this model. Default: all of the provider's."),
  region: z.string().optional().describe("Only this region. Default: all."),
  fault: z.string().describe("A fault of the simulated provider, such as 503, hang or cut:5."),
  scope: drillScope,
  for: forText.prefault("2m"),
  include_production: z
    .boolean()
    .default(false)
    .describe("Without it no request of the environment production is touched, whatever the scope says."),
});

export const drillView = z.object({
  id: z.string(),
  provider: z.string(),
  model: z.string().nullable(),
  region: z.string().nullable(),
  fault: z.string(),
  scope: z.object({
    environment: z.string().nullable(),
    workspace: z.string().nullable(),
    key: z.string().nullable(),
    tags: z.record(z.string(), z.string()),
  }),
  include_production: z.boolean(),
  started_at: z.number(),
  ends_at: z.number(),
  /** Null while it is under way. */
  ended_at: z.number().nullable(),
  ended_because: z.enum(["time", "stopped", "shutdown"]).nullable(),
  /** Requests that ran with its state so far, and calls that its fault was laid over. */
  requests: z.number(),
  calls: z.number(),
  /** In one line. */
  description: z.string(),
});
export type DrillView = z.infer<typeof drillView>;

export const drillList = z.object({ drills: z.array(drillView) });

/** `provider`, `provider/model` or a deployment's id. */
const isolationTarget = z.string().min(1).max(300);

/** What takes deployments out of use. */
export const isolateRequest = z.strictObject({
  target: isolationTarget,
  reason: z.string().max(200).optional().describe("Why, for whoever looks later."),
});
export const restoreRequest = z.strictObject({ target: isolationTarget });

export const isolatedView = z.object({
  target: z.string(),
  since: z.number(),
  reason: z.string().nullable(),
});
export type IsolatedView = z.infer<typeof isolatedView>;

export const deploymentView = z.object({
  id: z.string(),
  provider: z.string(),
  model: z.string(),
  region: z.string().nullable(),
  operation: z.enum(operations),
  upstream_model: z.string(),
  breaker: z.enum(["closed", "open", "half_open", "isolated"]),
  /** Why the breaker is not closed, in words; null when it is. */
  why: z.string().nullable(),
  isolated: isolatedView.nullable(),
  /** Up or down by the last probe that said something; null: none did yet. */
  up: z.boolean().nullable(),
  /** Of the time to the first token, in milliseconds; null while too few are known. */
  first_token_p99_ms: z.number().nullable(),
  /** By name; `obstacle` says what keeps a key from being used now, or is null. */
  keys: z.array(z.object({ name: z.string(), obstacle: z.string().nullable() })),
});
export type DeploymentView = z.infer<typeof deploymentView>;

export const deploymentList = z.object({ deployments: z.array(deploymentView) });

export const isolationResult = z.object({
  target: z.string(),
  deployments: z.array(z.string()),
  /** What whoever did this should know: a model without another deployment, a change that could not be kept. */
  warnings: z.array(z.string()),
});
