import { z } from "zod";

import { partialPolicies } from "../settings.ts";
import { duration, durationOrOff, hedgeDelay } from "./values.ts";

const breaker = z
  .strictObject({
    failures: z
      .int()
      .positive()
      .max(1000)
      .optional()
      .describe("Failures in a row that open it. Default: the preset's."),
    rate: z
      .number()
      .gt(0)
      .max(1)
      .optional()
      .describe("Share of failures within the window that opens it, above 0 to 1. Default: the preset's."),
    of: z
      .int()
      .positive()
      .max(100_000)
      .optional()
      .describe("Attempts within the window before the share counts. Default: the preset's."),
    window: duration(1000, 5 * 60_000)
      .optional()
      .describe("How far back the share looks, at most 5m. Default: the preset's."),
    open: duration(100)
      .optional()
      .describe("The first open period; each further one in a row is twice as long. Default: the preset's."),
    open_max: duration(100).optional().describe("The longest open period. Default: the preset's."),
    slow: durationOrOff(10)
      .optional()
      .describe(
        "A stream whose first content takes longer counts as slow, though it answers in the end. Default: off, since only you know what is normal for a model.",
      ),
    slow_rate: z
      .number()
      .gt(0)
      .max(1)
      .optional()
      .describe("Share of slow answers within the window that opens it, once there were of attempts. Default 0.8."),
  })
  .describe("When a deployment is taken out of service, and for how long.");

export const failover = z
  .strictObject({
    attempts: z
      .int()
      .positive()
      .max(20)
      .optional()
      .describe("Upstream calls a request may make. Default: the preset's."),
    deadline: duration(100).optional().describe("For the whole request, all attempts together. Default: the preset's."),
    connect: duration(10).optional().describe("To connect to a provider. Default: the preset's."),
    first_token: duration(10)
      .optional()
      .describe("To the first content of a stream; longer for models that reason first. Default: the preset's."),
    answer: duration(10).optional().describe("To a whole answer that is not streamed. Default: the preset's."),
    stall: duration(10).optional().describe("Without any byte, once content was sent. Default: the preset's."),
    progress: duration(10)
      .optional()
      .describe("With bytes but no content, once content was sent. Default: the preset's."),
    patience: duration(0).optional().describe("The longest Retry-After worth waiting for. Default: the preset's."),
    breaker: breaker.prefault({}),
    on_partial: z
      .enum(partialPolicies)
      .optional()
      .describe(
        "What becomes of a stream that breaks after content was sent. continue: another deployment completes it where that gives one answer; continue-soft: else it is asked to go on from the last words; hold: nothing is sent before the answer is whole; error: the client is told. Default continue.",
      ),
    hedge: hedgeDelay()
      .optional()
      .describe(
        "When a second deployment is called beside one that has not answered yet; the first to answer wins, the other is cancelled. off; after a fixed delay; or p95: after the 95th percentile of what that deployment took lately. Default: the preset's.",
      ),
    max_cost_multiplier: z
      .number()
      .positive()
      .max(1000)
      .optional()
      .describe(
        "A backup may cost at most this many times the primary, by the estimated price of the request; 1.2 is a fifth more. Default: no cap.",
      ),
  })
  .describe("How hard to try. Each field overrides what the aggressiveness sets.");

export type FailoverConfig = z.output<typeof failover>;
