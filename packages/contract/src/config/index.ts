import { z } from "zod";

import { apiKey } from "./keys.ts";
import { model } from "./models.ts";
import { provider } from "./providers.ts";
import { route } from "./routes.ts";
import { data, server } from "./server.ts";
import { modelName, providerName } from "./values.ts";

/**
 * The schema of `tuloy.yaml`. Every field says what it means, in which unit, and what holds when it is absent: the
 * reference page is made from these descriptions.
 */
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

export type { FailoverConfig } from "./failover.ts";
export { environments, type Environment } from "./keys.ts";
export type { ProviderModelConfig } from "./provider-models.ts";
export { providerKinds, type ProviderConfig, type ProviderKind } from "./providers.ts";
export type { RouteConfig } from "./routes.ts";
export { sandboxContinuations, type SandboxConfig, type SandboxContinuation } from "./sandbox.ts";
export { secretRule } from "./values.ts";
