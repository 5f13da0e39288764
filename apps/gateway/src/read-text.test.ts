import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, it } from "vitest";

import { readText } from "./read-text.ts";

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tuloy-read-"));
  path = join(directory, "file");
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

it("reads a file up to the longest that it may be, and refuses a longer one", async () => {
  writeFileSync(path, "é".repeat(100_000));
  expect(await readText(path, 200_000)).toEqual({ ok: true, text: "é".repeat(100_000) });
  expect(await readText(path, 199_999)).toEqual({ ok: false, code: null, why: "is longer than 0.199999 MB" });
});

it("reads an empty file", async () => {
  writeFileSync(path, "");
  expect(await readText(path, 10)).toEqual({ ok: true, text: "" });
});

it("says what a file is that it cannot read", async () => {
  expect(await readText(path, 10)).toEqual({ ok: false, code: "ENOENT", why: "cannot be read (ENOENT)" });
  expect(await readText(directory, 10)).toEqual({ ok: false, code: "EISDIR", why: "is a directory" });
});

it.runIf(existsSync("/dev/zero"))("refuses a device, which may have no end", async () => {
  expect(await readText("/dev/zero", 10)).toEqual({ ok: false, code: null, why: "is neither a file nor a pipe" });
});

// It has no size beforehand.
it.runIf(existsSync("/proc/self/maps"))("stops where a file is longer than it says", async () => {
  expect(await readText("/proc/self/maps", 10)).toMatchObject({ ok: false, why: "is longer than 0.00001 MB" });
});

it.runIf(existsSync("/usr/bin/mkfifo"))("reads what comes through a pipe, to the same length", async () => {
  execFileSync("/usr/bin/mkfifo", [path]);
  const [read] = await Promise.all([readText(path, 5), writeFile(path, "hello")]);
  expect(read).toEqual({ ok: true, text: "hello" });
  const [long] = await Promise.all([readText(path, 4), writeFile(path, "hello").catch(() => {})]);
  expect(long).toMatchObject({ ok: false, why: "is longer than 0.000004 MB" });
});
