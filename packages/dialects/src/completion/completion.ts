import type { Usage } from "@tuloy/contract";

import type { Continuation } from "../providers/continuation.ts";
import type { SentAnswer } from "./sent.ts";

/**
 * How a stream that broke is completed:
 * - `exact`: a deployment goes on from what was sent.
 * - `replay`: it answers again; what it repeats is compared with what was sent and held back.
 * - `anew`: it answers again and nothing is compared, since only reasoning was sent.
 * - `soft`: it is asked, as a user would, to go on from the last words.
 */
export type CompletionMode = "exact" | "replay" | "anew" | "soft";

/** The stream that completes another: everything that was sent before is taken out of it. */
export interface Resume {
  readonly mode: CompletionMode;
  /** It goes on being written while the new stream is sent. */
  readonly sent: SentAnswer;
  /** With `exact`: the deployment's way. */
  readonly continuation: Continuation | null;
}

/** In which modes what was sent can be completed. */
export interface Completable {
  readonly exact: boolean;
  readonly replay: boolean;
  readonly anew: boolean;
  readonly soft: boolean;
  /** Why it can't be continued, in words; empty when it can. */
  readonly why: string;
}

/**
 * The usage of an answer that another deployment completed, as its client sees it: the prompt once, and all that was generated
 * for this answer. A deployment that goes on from what was sent counts it as input.
 * @param sentTokens generated before this deployment took over
 */
export function completedUsage(mode: CompletionMode, sentTokens: number, own: Usage): Usage {
  if (mode === "replay" || mode === "anew") return own;
  return {
    ...own,
    input_tokens: Math.max(0, own.input_tokens - sentTokens),
    cached_input_tokens: Math.min(own.cached_input_tokens, Math.max(0, own.input_tokens - sentTokens)),
    output_tokens: own.output_tokens + sentTokens,
    source: "estimate",
  };
}
