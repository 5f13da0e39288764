import { describe, expect, it } from "vitest";

import { readRetryAfter } from "./retry-after.ts";

const wall = Date.UTC(2026, 10, 22, 12, 0, 0);
const read = (headers: Record<string, string>): number | null => readRetryAfter((name) => headers[name], wall);
const day = 24 * 60 * 60 * 1000;

describe("readRetryAfter", () => {
  it.each([
    [{ "retry-after-ms": "1500" }, 1500],
    [{ "retry-after-ms": "1500", "retry-after": "9" }, 1500],
    [{ "retry-after": "2" }, 2000],
    [{ "retry-after": "0.5" }, 500],
    [{ "retry-after": "Sun, 22 Nov 2026 12:00:30 GMT" }, 30_000],
    [{ "retry-after": "Sun, 22 Nov 2026 11:00:00 GMT" }, 0],
    [{ "retry-after": "99999999" }, day],
    [{ "retry-after": "Fri, 22 Nov 2126 12:00:00 GMT" }, day],
    [{ "retry-after-ms": "soon", "retry-after": "3" }, 3000],
  ])("reads %j as %d ms", (headers, ms) => {
    expect(read(headers)).toBe(ms);
  });

  it.each([
    {},
    { "retry-after": "" },
    { "retry-after": "-1" },
    { "retry-after": "soon" },
    { "retry-after": "NaN" },
    { "retry-after": "1e9" },
    { "retry-after-ms": "Infinity" },
  ])("ignores %j", (headers) => {
    expect(read(headers)).toBeNull();
  });
});
