import { z } from "zod";

import { plainName, secretPattern, secretRule } from "./values.ts";

export const environments = ["production", "staging", "development"] as const;
export type Environment = (typeof environments)[number];

export const apiKey = z
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
