import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, it, onTestFinished } from "vitest";

import { masterKey } from "./master-key.ts";

function dataDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "tuloy-master-key-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

it("is made once, for this user only, and found again", () => {
  const directory = dataDirectory();
  const key = masterKey(directory, {});
  expect(key).toHaveLength(32);
  expect(masterKey(directory, {}).equals(key)).toBe(true);
  expect(readdirSync(directory)).toEqual(["master-key"]);
  expect(statSync(join(directory, "master-key")).mode & 0o777).toBe(0o600);
  expect(masterKey(dataDirectory(), {}).equals(key)).toBe(false);
});

it.each(["base64", "base64url", "hex"] as const)("comes from the environment in %s, and no file is made", (form) => {
  const directory = dataDirectory();
  const key = Buffer.alloc(32, 0xfb);
  expect(masterKey(directory, { TULOY_MASTER_KEY: `${key.toString(form)}\n` }).equals(key)).toBe(true);
  expect(readdirSync(directory)).toEqual([]);
});

it.each(["short", Buffer.alloc(31).toString("base64"), Buffer.alloc(33).toString("hex"), "!".repeat(44)])(
  "is refused from the environment when it is none: %s",
  (value) => {
    expect(() => masterKey(dataDirectory(), { TULOY_MASTER_KEY: value })).toThrow(
      /^TULOY_MASTER_KEY is not a key of 32 bytes: make one/,
    );
  },
);

it("is not replaced when its file is damaged", () => {
  const directory = dataDirectory();
  writeFileSync(join(directory, "master-key"), "half a k");
  expect(() => masterKey(directory, {})).toThrow(/master-key is damaged: restore a copy/);
  expect(readFileSync(join(directory, "master-key"), "utf8")).toBe("half a k");
});
