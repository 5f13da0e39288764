import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, it } from "vitest";

import { defaultConfigText } from "./defaults.ts";
import { findConfig } from "./source.ts";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tuloy-source-"));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

it("reads tuloy.yaml of the directory when none is named", async () => {
  writeFileSync(join(directory, "tuloy.yaml"), "providers: {}\n");
  const path = join(directory, "tuloy.yaml");
  expect(await findConfig(undefined, directory)).toEqual({
    kind: "file",
    name: "tuloy.yaml",
    path,
    text: "providers: {}\n",
  });
});

it("simulates providers only when no file is named and there is none", async () => {
  expect(await findConfig(undefined, directory)).toMatchObject({ kind: "defaults", text: defaultConfigText });
  expect(await findConfig("tuloy.yaml", directory)).toEqual({
    kind: "unreadable",
    name: "tuloy.yaml",
    message: "tuloy.yaml does not exist",
  });
});

it("refuses a tuloy.yaml that is there and cannot be read", async () => {
  mkdirSync(join(directory, "tuloy.yaml"));
  expect(await findConfig(undefined, directory)).toMatchObject({ message: "tuloy.yaml is a directory" });
});

it.runIf(existsSync("/dev/zero"))("refuses what is no file, and may have no end", async () => {
  expect(await findConfig("/dev/zero", directory)).toMatchObject({
    kind: "unreadable",
    message: "/dev/zero is neither a file nor a pipe",
  });
});

it("never takes an empty file for none", async () => {
  writeFileSync(join(directory, "tuloy.yaml"), "");
  expect(await findConfig(undefined, directory)).toMatchObject({ kind: "file", text: "" });
});
