import { errorCodes, failureClasses, type AttemptRecord, type FailureClass } from "@tuloy/contract";
import { isKnownCode } from "@tuloy/dialects";

/**
 * Failures that only Tuloy itself puts into words. For all others the reason is what the provider said, which may quote the
 * prompt or the answer.
 */
const ownWords: ReadonlySet<FailureClass> = new Set([
  "refused",
  "reset",
  "first_token_timeout",
  "stall",
  "truncated",
  "empty",
  "cancelled",
  "internal",
]);

/** An attempt as it is recorded where nothing of prompts and answers may be: class and status stay, the provider's words do not. */
export function withoutWords(attempt: AttemptRecord): AttemptRecord {
  if (attempt.failure === null || ownWords.has(attempt.failure)) return attempt;
  return { ...attempt, reason: "what the provider said is not kept (retention: none)" };
}

const ownCodes: ReadonlySet<string> = new Set([...Object.keys(errorCodes), ...failureClasses]);

/** A code of ours, or one that providers are known to send. Any other could be a quotation too. */
export function keptCode(code: string | null): string | null {
  const quotesNobody = code === null || ownCodes.has(code) || isKnownCode(code) || /^\d{3}$/.test(code);
  return quotesNobody ? code : "unlisted_code";
}
