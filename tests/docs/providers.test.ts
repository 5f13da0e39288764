import { readFileSync } from "node:fs";

import { presetKinds } from "@tuloy/dialects";
import { expect, test } from "vitest";

import { providersFile, providersPage } from "./providers-page.ts";

test("the providers' page says what the presets say: npm run docs brings it up to date", () => {
  expect(readFileSync(providersFile, "utf8")).toBe(providersPage());
  for (const kind of presetKinds) expect(providersPage()).toContain(`### ${kind}\n`);
});
