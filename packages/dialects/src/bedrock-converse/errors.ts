import type { Failure } from "@tuloy/contract";

import { classifyErrorObject } from "../failure/classify.ts";
import { isObject, parseJson } from "../json/value.ts";
import type { ProviderPreset } from "../providers/preset.ts";

/**
 * The failure of an exception that came as a message of a stream. Its type is written there as a member's name is
 * (`throttlingException`), and everywhere else as a type's is.
 */
export function exceptionFailure(type: string, data: string, preset: Pick<ProviderPreset, "markers">): Failure {
  const value = parseJson(data);
  const facts = isObject(value) ? value : {};
  const message = typeof facts.message === "string" ? facts.message : originalMessage(facts);
  const error = { error: { code: type.charAt(0).toUpperCase() + type.slice(1), message } };
  return (
    classifyErrorObject(error, preset) ?? {
      class: "server_error",
      reason: "an exception without a type",
      status: 200,
      code: null,
      retryAfterMs: null,
    }
  );
}

function originalMessage(facts: Readonly<Record<string, unknown>>): string {
  return typeof facts.originalMessage === "string" ? facts.originalMessage : "without a message";
}
