import { z } from "zod";

import { operations } from "../deployment.ts";
import { abilities, context, dimensions, modelName } from "./values.ts";

export const model = z
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
