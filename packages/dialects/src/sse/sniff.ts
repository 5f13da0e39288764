/** What a body turns out to be, whatever its content type says. */
export type BodyKind = "events" | "json" | "html" | "text";

const isBlank = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;

/** First bytes of `data`, `event`, `id`, `retry`, of a comment, and of a byte order mark. */
const eventStarts: ReadonlySet<number> = new Set([0x64, 0x65, 0x69, 0x72, 0x3a, 0xef]);

/** @returns the offset of the first byte that is no white space, or the length */
export function firstInk(bytes: Buffer): number {
  let at = 0;
  while (at < bytes.length && isBlank(bytes[at])) at++;
  return at;
}

/**
 * Tells a stream of events from what servers send in its place under 200: an error as JSON, a proxy's page. The bytes decide
 * where they can: errors come under `text/event-stream`, and good streams under `text/plain`.
 * @param first the first byte that is no white space
 */
export function sniff(contentType: string | null, first: number): BodyKind {
  if (first === 0x7b || first === 0x5b) return "json";
  if (first === 0x3c) return "html";
  const type = contentType?.toLowerCase() ?? "";
  return type === "" || type.includes("event-stream") || eventStarts.has(first) ? "events" : "text";
}
