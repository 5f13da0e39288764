import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

import { describe, expect, test } from "vitest";

import { program } from "../../apps/gateway/src/cli/main.ts";
import { checkout, codeOf, pages, prose } from "./markdown.ts";
import type { Page } from "./markdown.ts";

type Command = Awaited<ReturnType<typeof program>>["commands"][number];

const all = pages();
const commands = new Map((await program()).commands.map((command) => [command.name(), command]));

/** The long names of a command's options, its subcommands' included. */
function optionsOf(command: Command | undefined): string[] | undefined {
  return (
    command && [
      ...command.options.map(({ long }) => long ?? ""),
      ...command.commands.flatMap((subcommand) => optionsOf(subcommand) ?? []),
    ]
  );
}

/** What `[text](target)` points to. */
function links(of: Page): string[] {
  return [...prose(of).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
}

/** The anchors that GitHub gives the headings of a page. */
function anchors(of: Page): string[] {
  return [...prose(of).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** Whether a link within the checkout leads somewhere. */
function leads(from: Page, target: string): boolean {
  const [path = "", anchor] = target.split("#", 2);
  const name = path === "" ? from.name : normalize(join(dirname(from.name), path));
  if (!existsSync(join(checkout, name))) return false;
  if (anchor === undefined) return true;
  const to = all.find((known) => known.name === name);
  return to !== undefined && anchors(to).includes(anchor);
}

describe("every relative link of", () => {
  const linking = all.filter((of) => links(of).length > 0).map((of) => [of.name, of] as const);

  test.each(linking)("%s leads somewhere", (_, of) => {
    const broken = links(of).filter((target) => !/^[a-z]+:/.test(target) && !leads(of, target));
    expect(broken).toEqual([]);
  });
});

describe("every command that the documentation names exists", () => {
  const said = all.flatMap(({ name, text }) =>
    [...text.matchAll(/(?:npm run tuloy -- |`tuloy |^tuloy )([a-z]+)([^`\n]*)/gm)].map(
      ([line, command = "", rest = ""]) => [`${name}: ${line}`, command, rest] as const,
    ),
  );

  test.each(said)("%s", (_, command, rest) => {
    const known = optionsOf(commands.get(command));
    expect(known).toBeDefined();
    for (const [option] of rest.matchAll(/--[a-z-]+/g)) expect(known).toContain(option);
  });

  test("and each npm script", () => {
    const manifest = JSON.parse(readFileSync(join(checkout, "package.json"), "utf8")) as { scripts: object };
    const scripts = all.flatMap(({ text }) => [...text.matchAll(/npm run ([a-z][a-z:]*)/g)].map(([, name]) => name));
    expect(Object.keys(manifest.scripts)).toEqual(expect.arrayContaining(scripts));
  });
});

describe("ARCHITECTURE.md names every folder", () => {
  const tree = all.find(({ name }) => name === "ARCHITECTURE.md")?.text ?? "";

  test.each(["apps/gateway/src", "packages", "tests"])("of %s", (parent) => {
    const folders = readdirSync(join(checkout, parent), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== "node_modules")
      .map(({ name }) => (parent === "tests" ? `\ntests/${name}/ ` : `\n  ${name}/ `));
    expect(folders.filter((folder) => !tree.includes(folder))).toEqual([]);
  });
});

describe("docs/operations.md lists", () => {
  /** They mean the same for every command, so they are told once. */
  const everywhere = new Set(["--config", "--data-dir"]);
  const rows = (all.find(({ name }) => name === "docs/operations.md")?.text ?? "")
    .split("\n")
    .filter((line) => line.startsWith("| `npm run tuloy -- "));

  test.each([...commands.values()].map((command) => [command.name(), command] as const))(
    "%s, with its options",
    (name, command) => {
      const told = rows
        .filter((line) => line.startsWith(`| \`npm run tuloy -- ${name}`))
        .flatMap(codeOf)
        .join(" ");
      const options = (optionsOf(command) ?? []).filter((long) => name === "start" || !everywhere.has(long));
      expect(told).not.toBe("");
      for (const option of options) expect(told).toContain(option);
    },
  );
});
