/**
 * A redacted thought is bytes here, and a signature is text; clients that keep both alike give back a signature without its thought
 * as if it were redacted. So what was redacted says so itself.
 */
const mark = "redacted:";

/** Anthropic's clients keep it where Anthropic's own stands, which it must not be taken for: see anthropic-messages/opaque.ts. */
const foreign = "tuloy:bedrock-converse::";

/** @param bytes in base64 */
export function keepRedacted(bytes: string): string {
  return foreign + mark + bytes;
}

/** @returns the bytes in base64; null: it is a signature */
export function redactedBytes(data: string): string | null {
  const own = data.startsWith(foreign) ? data.slice(foreign.length) : data;
  return own.startsWith(mark) ? own.slice(mark.length) : null;
}
