import { z } from "zod";

import { environments } from "./keys.ts";
import { plainName, credentialPattern, secretRule } from "./values.ts";

const keyLimits = z
  .strictObject({
    rpm: z.int().positive().optional().describe("Requests a minute. Default: no limit known."),
    tpm: z.int().positive().optional().describe("Tokens a minute. Default: no limit known."),
    concurrency: z.int().positive().optional().describe("Requests in flight. Default: no limit known."),
  })
  .describe("The limits this key has at its provider, so that Tuloy need not run into them.");

export const providerKey = z
  .strictObject({
    name: plainName.optional().describe("What traces and logs call this key. Default key-1, key-2, … in order."),
    value: z
      .string()
      .min(1, { error: "is empty", abort: true })
      .regex(credentialPattern, { error: secretRule })
      .describe(
        "The credential, best read from the environment: ${OPENAI_API_KEY}. For bedrock: an API key of Bedrock, or ACCESS_KEY_ID:SECRET, or ACCESS_KEY_ID:SECRET:SESSION_TOKEN, or ambient for what the process finds in its surroundings (environment, profile, role). For vertex: a service account's key file, as its path or its JSON; or ambient, for what the machine itself may do.",
      ),
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
