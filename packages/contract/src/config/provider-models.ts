import { z } from "zod";

import { dialects, operations, servedQuantizations } from "../deployment.ts";
import { abilities, context, dimensions } from "./values.ts";

const price = z
  .strictObject({
    input: z.number().nonnegative().describe("USD per million input tokens."),
    output: z.number().nonnegative().describe("USD per million output tokens."),
    cached_input: z
      .number()
      .nonnegative()
      .optional()
      .describe("USD per million input tokens read from the provider's prompt cache. Default: as input."),
    cache_write: z
      .number()
      .nonnegative()
      .optional()
      .describe("USD per million input tokens written to the provider's prompt cache. Default: as input."),
  })
  .describe("What this provider charges. Default: the built-in list price of the provider's kind; else unknown.");

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

export const providerModel = z
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

export type ProviderModelConfig = z.output<typeof providerModel>;
