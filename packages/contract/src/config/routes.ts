import { z } from "zod";

import { operations, servedQuantizations } from "../deployment.ts";
import {
  aggressivenesses,
  equivalencePolicies,
  fidelities,
  modelReports,
  retentions,
  strategies,
} from "../settings.ts";
import { failover } from "./failover.ts";
import { environments } from "./keys.ts";
import { headerName, modelGlob, plainName, providerName, regionName } from "./values.ts";

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

export const route = z
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

export type RouteConfig = z.output<typeof route>;
