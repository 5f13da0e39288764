import { existsSync, readFileSync, writeFileSync } from "node:fs";

/** One part of the results page; each run replaces its own and leaves the others. */
export interface Section {
  /** Its command, which also names its place on the page. */
  readonly name: string;
  readonly title: string;
  /** What was measured, how, on what, and when. */
  readonly introduction: string;
  readonly tables: readonly string[];
}

const file = new URL("../RESULTS.md", import.meta.url);
const preamble = `# Results

Measured by \`npm run bench\`; the README beside this page says how to read it. Each part is from one run; compare ratios,
not microseconds from different runs.
`;

export function renderSection({ title, introduction, tables }: Section): string {
  return [`## ${title}`, introduction, ...tables].join("\n\n");
}

/** The page with the part put in place of its former self, or at the end when it is new. */
export function replaceSection(page: string, name: string, content: string): string {
  const begin = `<!-- ${name} -->`;
  const end = `<!-- end of ${name} -->`;
  const block = `${begin}\n\n${content}\n\n${end}`;
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) return `${page.trimEnd()}\n\n${block}\n`;
  return page.slice(0, from) + block + page.slice(to + end.length);
}

export function writeSection(section: Section): void {
  const page = existsSync(file) ? readFileSync(file, "utf8") : preamble;
  writeFileSync(file, replaceSection(page, section.name, renderSection(section)));
}
