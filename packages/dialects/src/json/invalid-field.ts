import { clientError, type ClientError } from "@tuloy/contract";

/** An error about one field. */
export function invalidField(param: string, message: string): ClientError {
  return clientError("invalid_request", message, { param });
}

/** What a value is, for error messages. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
