import { createHash } from "node:crypto";

import type { WriteTarget } from "./codec.ts";
import type { HubRequest } from "./request.ts";

/**
 * The longest answer that may be asked for. Clients of other dialects name more than some models give (Claude Code 32,000 tokens),
 * which is answered with 400.
 * @param note told when it is less than what the client asked for
 */
export function longestAnswer(
  { maxTokens }: Pick<HubRequest, "maxTokens">,
  { outputTokens }: Pick<WriteTarget, "outputTokens">,
  note: (text: string) => void,
): number | null {
  if (maxTokens === null || outputTokens === null || maxTokens <= outputTokens) return maxTokens;
  note(`max_tokens was lowered to ${outputTokens}, the longest answer of this model`);
  return outputTokens;
}

/**
 * A user's id that is no longer than what is taken: a longer one becomes its digest, so that it still is the same user's.
 * Claude Code's has some 150 characters.
 */
export function shortUser(user: string | null, longest: number, note: (text: string) => void): string | null {
  if (user === null || user.length <= longest) return user;
  note(`user was sent as a digest: no more than ${longest} characters are taken there`);
  return createHash("sha256").update(user).digest("hex").slice(0, longest);
}

/** The same for a call and its result: a longer id than what is taken becomes its digest. */
export function shortCallId(id: string, longest: number): string {
  return id.length <= longest
    ? id
    : `call_${createHash("sha256")
        .update(id)
        .digest("hex")
        .slice(0, longest - 5)}`;
}
