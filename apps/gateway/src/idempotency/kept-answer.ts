import type { OutgoingHttpHeaders } from "node:http";

/** An answer as its client got it, to be given again. */
export interface KeptAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** What an answer's headers say about the answer; the others are about the request that got it. */
const kept = ["content-type", "cache-control", "x-accel-buffering", "x-tuloy-provider", "x-tuloy-model"] as const;

export function keptHeaders(headers: OutgoingHttpHeaders): Record<string, string> {
  const all: Record<string, string> = {};
  for (const name of kept) {
    const value = headers[name];
    if (typeof value === "string") all[name] = value;
  }
  return all;
}

/** As bytes: a line of JSON, then the body. */
export function writeKept({ status, headers, body }: KeptAnswer): Buffer {
  return Buffer.concat([Buffer.from(`${JSON.stringify({ status, headers })}\n`), body]);
}

/** @returns null when these bytes are no kept answer */
export function readKept(bytes: Buffer): KeptAnswer | null {
  const end = bytes.indexOf("\n");
  if (end === -1) return null;
  const head: unknown = JSON.parse(bytes.toString("utf8", 0, end));
  if (typeof head !== "object" || head === null || !("status" in head) || !("headers" in head)) return null;
  const { status, headers } = head;
  if (typeof status !== "number" || typeof headers !== "object" || headers === null) return null;
  return { status, headers: keptHeaders({ ...headers }), body: bytes.subarray(end + 1) };
}
