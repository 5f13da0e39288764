import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import { canarySecret, scanFor } from "./canary.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "canary-"));
});
afterAll(() => rm(directory, { recursive: true }));

test("two secrets are never the same", () => {
  expect(canarySecret()).not.toBe(canarySecret());
  expect(canarySecret("sk-")).toMatch(/^sk-[0-9a-f]{40}$/);
});

test("a secret is found deep in a directory, with its file and offset, and nothing else is", async () => {
  const secret = canarySecret();
  const place = await mkdtemp(join(directory, "deep-"));
  await mkdir(join(place, "a", "b"), { recursive: true });
  await writeFile(join(place, "clean.log"), canarySecret());
  await writeFile(join(place, "a", "b", "db.sqlite"), Buffer.concat([Buffer.alloc(77, 0xff), Buffer.from(secret)]));
  expect(await scanFor(secret, place)).toEqual([
    { file: join(place, "a", "b", "db.sqlite"), offset: 77, form: "plain" },
  ]);
});

test("a secret across the border of two blocks is found", async () => {
  const secret = canarySecret();
  const place = await mkdtemp(join(directory, "border-"));
  const block = 1024 * 1024;
  for (const offset of [block - secret.length, block - 20, block - 1, block, block + 60, 2 * block - 5]) {
    await writeFile(join(place, "big"), Buffer.concat([Buffer.alloc(offset), Buffer.from(secret), Buffer.alloc(99)]));
    expect(await scanFor(secret, place)).toEqual([{ file: join(place, "big"), offset, form: "plain" }]);
  }
});

test("a secret is found in disguise, whatever surrounds it", async () => {
  const place = await mkdtemp(join(directory, "disguise-"));
  const surrounded = fc.tuple(
    fc.uint8Array({ maxLength: 9 }),
    fc.string({ unit: "binary-ascii", minLength: 12, maxLength: 40 }),
    fc.uint8Array({ maxLength: 9 }),
  );
  const forms = fc.constantFrom("base64", "base64url", "hex");
  await fc.assert(
    fc.asyncProperty(surrounded, forms, async ([before, secret, after], encoding) => {
      const bytes = Buffer.concat([before, Buffer.from(secret), after]);
      await writeFile(join(place, "file"), bytes.toString(encoding));
      const forms = (await scanFor(secret, place)).map(({ form }) => form);
      expect(forms).toContain(encoding === "hex" ? "hex" : "base64");
    }),
    { numRuns: 60 },
  );
});

test("UTF-16 is found", async () => {
  const place = await mkdtemp(join(directory, "utf16-"));
  await writeFile(join(place, "file"), Buffer.from("x the-secret y", "utf16le"));
  expect(await scanFor("the-secret", place)).toMatchObject([{ form: "utf-16", offset: 4 }]);
});

test("links are not followed, and a secret too short to mean anything is refused", async () => {
  const place = await mkdtemp(join(directory, "link-"));
  await symlink(directory, join(place, "out"));
  expect(await scanFor("the-secret", place)).toEqual([]);
  await expect(scanFor("short", place)).rejects.toThrow(RangeError);
});
