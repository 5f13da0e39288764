import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The checkout, as a directory path that ends in a slash. */
export const checkout = fileURLToPath(new URL("../../", import.meta.url));

/** A page of the documentation. */
export interface Page {
  /** From the checkout: `docs/http.md`. */
  readonly name: string;
  readonly text: string;
}

/** A fenced block of a page. */
export interface Block {
  /** For messages: `docs/http.md, block 2`. */
  readonly place: string;
  readonly language: string;
  /** What stands behind the language: `fragment` marks a part of a file that is not whole by itself. */
  readonly note: string;
  readonly text: string;
}

/** Every page of the checkout. */
export function pages(): Page[] {
  return globSync("**/*.md", { cwd: checkout, exclude: (name) => name === "node_modules" || name === ".cache" })
    .sort()
    .map(page);
}

export function page(name: string): Page {
  return { name, text: readFileSync(`${checkout}${name}`, "utf8") };
}

export function blocks({ name, text }: Page): Block[] {
  return [...text.matchAll(/^```(\w*) ?(.*)\n([^]*?)^```$/gm)].map(
    ([, language = "", note = "", body = ""], index) => ({
      place: `${name}, block ${index + 1}`,
      language,
      note,
      text: body,
    }),
  );
}

/** A page without what stands in fenced blocks: its prose, tables and headings. */
export function prose({ text }: Page): string {
  return text.replaceAll(/^```[^]*?^```$/gm, "");
}

/**
 * The rows of the table whose heading row begins with these cells, as the texts of their cells.
 * @throws when the page has no such table, or more than one
 */
export function table(of: Page, ...headings: readonly string[]): string[][] {
  const found = prose(of)
    .split(/\n{2,}/)
    .map((paragraph) => paragraph.split("\n").filter((line) => line.startsWith("|")))
    .filter(([first = ""]) => headings.every((heading, index) => cells(first)[index] === heading));
  const [rows] = found;
  if (rows === undefined || found.length > 1)
    throw new Error(`${of.name} has ${found.length} tables ${headings.join(" | ")}`);
  return rows.slice(2).map(cells);
}

function cells(line: string): string[] {
  return line
    .replace(/^\|/, "")
    .replace(/\|\s*$/, "")
    .split("|")
    .map((cell) => cell.trim());
}

/** What stands in backticks, in order. */
export function codeOf(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);
}
