import { expect, it } from "vitest";

import { formatProblem, loadConfig } from "../read.ts";
import { idsRefused } from "./shared-accounts.ts";

const keys = (...workspaces: string[]): string =>
  `keys: [${workspaces.map((workspace, i) => `{ name: k${i}, value: key-${i}-of-sixteen-characters, workspace: ${workspace} }`).join(", ")}]\n`;
const provider = (name: string, more = "keys: [{ value: sk-secret-one }]"): string =>
  `  ${name}: { kind: openai-compatible, base_url: "https://${name}.example.com/v1", models: { m: }, ${more} }\n`;

/** `a: one two; b: one`, or null. */
function refused(text: string): string | null {
  const loaded = loadConfig(text, "f", {});
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join("\n"));
  const found = idsRefused(loaded.config);
  return found && [...found].map(([name, workspaces]) => `${name}: ${[...workspaces].join(" ")}`).join("; ");
}

it("refuses nothing to one workspace alone, in however many environments and with however many keys", () => {
  expect(refused(`providers:\n${provider("a")}`)).toBeNull();
  const staging = `, { name: s, value: key-s-of-sixteen-characters, workspace: one, environment: staging }]\n`;
  expect(refused(`${keys("one", "one").replace("]\n", staging)}providers:\n${provider("a")}`)).toBeNull();
});

it("refuses the ids of an account that two workspaces can reach", () => {
  expect(refused(`${keys("one", "two")}providers:\n${provider("a")}`)).toBe("a: one two");
  expect(refused(`${keys("one", "two")}providers:\n${provider("a", "visibility: private")}`)).toBe("a: one two");
});

it("heeds whom a provider key is reserved for", () => {
  const own = "keys: [{ value: sk-of-one, workspaces: [one] }, { value: sk-of-two, workspaces: [two] }]";
  expect(refused(`${keys("one", "two")}providers:\n${provider("a", own)}`)).toBeNull();
  // One has a key of its own, but may be sent with the other.
  const half = "keys: [{ value: sk-of-one, workspaces: [one] }, { value: sk-of-all }]";
  expect(refused(`${keys("one", "two", "three")}providers:\n${provider("a", half)}`)).toBe("a: one two three");
  const none = "keys: [{ value: sk-of-one, workspaces: [one] }, { value: sk-staging, environments: [staging] }]";
  expect(refused(`${keys("one", "two")}providers:\n${provider("a", none)}`)).toBeNull();
});

it("heeds which workspaces a route sends there", () => {
  const routes = `routes:
  - { name: one, match: { workspaces: [one] }, providers: [a] }
  - { name: two, match: { workspaces: [two] }, providers: [b] }
  - { name: rest, match: {}, providers: [b] }\n`;
  const text = (b: string): string => `${keys("one", "two")}providers:\n${provider("a")}${b}${routes}`;
  // A request may ask for any route that applies to it, so one reaches b by the last.
  expect(refused(text(provider("b", "keys: [{ value: sk-secret-two }]")))).toBe("b: one two");
  // The same credential at both is one account.
  expect(refused(text(provider("b")))).toBe("a: one; b: one two");
});

it("does as it is told", () => {
  const said = (rule: string): string => `keys: [{ value: sk-secret-one }], account_ids: ${rule}`;
  expect(refused(`${keys("one", "two")}providers:\n${provider("a", said("forward"))}`)).toBeNull();
  expect(refused(`${keys("one")}providers:\n${provider("a", said("refuse"))}`)).toBe("a: one");
});
