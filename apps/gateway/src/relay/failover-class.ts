import type { AttemptKind, AttemptRecord, FailureClass } from "@tuloy/contract";

/**
 * Why a request failed over, or null when it did not: the first failure among the other attempts. One that won a race was called because
 * the first-token limit had passed; one that won as a hedge was only quicker. Nothing failed over to the first choice.
 * @param kind of the attempt that answered
 */
export function failoverClass(
  kind: AttemptKind,
  others: readonly Pick<AttemptRecord, "failure">[],
): FailureClass | null {
  if (kind === "first") return null;
  const failed = others.find(({ failure }) => failure !== null && failure !== "cancelled");
  return failed?.failure ?? (kind === "race" ? "first_token_timeout" : null);
}
