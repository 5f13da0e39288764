import { randomBytes } from "node:crypto";

/** Hex digits of one id that are random: 80 bits. */
const randomDigits = 20;
/** One call to the system for 256 ids: asking for ten bytes costs as much as asking for thousands. */
const poolBytes = 256 * (randomDigits / 2);

let pool = "";
let used = 0;
let lastWall = -1;
let lastPrefix = "";

/**
 * A new trace id: 32 hex digits, the first 12 the time in milliseconds, so that ids sort by it and the ledger appends
 * instead of inserting; the other 80 bits are random. Also a valid W3C trace id.
 * @param wall milliseconds since 1970
 */
export function newTraceId(wall: number): string {
  if (used === pool.length) {
    pool = randomBytes(poolBytes).toString("hex");
    used = 0;
  }
  if (wall !== lastWall) {
    lastWall = wall;
    lastPrefix = wall.toString(16).padStart(12, "0");
  }
  used += randomDigits;
  return lastPrefix + pool.slice(used - randomDigits, used);
}
