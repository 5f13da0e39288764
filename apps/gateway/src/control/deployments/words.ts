import { formatDuration } from "@tuloy/contract";
import type { BreakerView } from "@tuloy/routing";

import type { Isolated } from "../isolation-file.ts";

const causes = { fast: "errors", slow: "timeouts or stalls" } as const;

/** Why a breaker is not closed, for a person; null when it is. */
export function breakerWords(view: BreakerView, isolated: Isolated | null, now: number, wall: number): string | null {
  switch (view.state) {
    case "closed":
      return null;
    case "open":
      return `failed with ${causes[view.cause]}; tried again in ${whole(view.until - now)}`;
    case "half_open":
      return `failed with ${causes[view.cause]}; on trial, ${view.trialSuccesses} of 3 succeeded`;
    case "isolated":
      return isolated === null
        ? "isolated by hand"
        : `isolated by hand as ${isolated.target}, ${whole(wall - isolated.since)} ago${isolated.reason === null ? "" : `: ${isolated.reason}`}`;
  }
}

function whole(ms: number): string {
  return formatDuration(Math.max(1, Math.ceil(ms / 1000)) * 1000);
}
