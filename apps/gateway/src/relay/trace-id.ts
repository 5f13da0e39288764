import { randomFillSync } from "node:crypto";

const pool = Buffer.alloc(10 * 256);
let used = pool.length;

/**
 * A new trace id: 32 hex digits, the first 12 the time in milliseconds, so that ids sort by it and the ledger appends
 * instead of inserting; the other 80 bits are random. Also a valid W3C trace id.
 * @param wall milliseconds since 1970
 */
export function newTraceId(wall: number): string {
  if (used === pool.length) {
    // One call for 256 ids: asking the system for ten bytes costs as much as asking for thousands.
    randomFillSync(pool);
    used = 0;
  }
  used += 10;
  return wall.toString(16).padStart(12, "0") + pool.toString("hex", used - 10, used);
}
