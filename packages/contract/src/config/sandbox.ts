import { z } from "zod";

import { duration } from "./values.ts";

export const sandboxContinuations = ["exact", "echo", "restart", "reject"] as const;
export type SandboxContinuation = (typeof sandboxContinuations)[number];

export const sandbox = z
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

export type SandboxConfig = z.output<typeof sandbox>;
