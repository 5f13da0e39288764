import type { Deployment } from "@tuloy/contract";

import type { CourseInput } from "./attempt.ts";
import { firstTokenLimit } from "./first-token.ts";
import type { Health } from "./health.ts";

/**
 * How long a call may take to its commit, in milliseconds. A stream's trial gets half of it: it tests a deployment that
 * failed a moment ago, at a user's expense. A JSON answer commits when it is whole, trial or not.
 */
export function commitLimitMs(
  input: CourseInput,
  health: Health,
  deployment: Deployment,
  trial: boolean,
  now: number,
): number {
  const { settings, stream, inputTokens, highEffort } = input;
  if (!stream) return settings.answerMs;
  const limit = firstTokenLimit({
    baseMs: settings.firstTokenMs,
    hiddenReasoning: deployment.hiddenReasoning,
    highEffort,
    inputTokens,
    p99Ms: health.latency(deployment.id).p99(now),
  });
  return trial ? limit / 2 : limit;
}
