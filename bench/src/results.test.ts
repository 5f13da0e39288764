import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { renderSection, replaceSection } from "./results.ts";

const names = fc.constantFrom("compare", "soak", "start");

describe("replaceSection", () => {
  it("adds a new part at the end and replaces it where it stands the next time", () => {
    const once = replaceSection(replaceSection("# Results\n", "soak", "old"), "start", "S");
    const twice = replaceSection(once, "soak", "new");
    expect(twice).toBe(once.replace("old", "new"));
    expect(twice.indexOf("new")).toBeLessThan(twice.indexOf("S\n"));
  });

  it("keeps only the last content of each part, whatever the order of the runs", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(names, fc.stringMatching(/^[a-z]{3,8}$/)), { minLength: 1 }), (runs) => {
        const page = runs.reduce((page, [name, content]) => replaceSection(page, name, `[${content}]`), "# Results\n");
        const last = new Map(runs);
        expect(page.match(/\[[a-z]+\]/g)).toHaveLength(last.size);
        for (const [name, content] of last) expect(page).toContain(`<!-- ${name} -->\n\n[${content}]\n`);
      }),
    );
  });

  it("takes contents with $ signs as they are", () => {
    const page = replaceSection("", "soak", "first");
    expect(replaceSection(page, "soak", "$& $1")).toContain("$& $1");
  });
});

describe("renderSection", () => {
  it("puts a title, an introduction and the tables below each other", () => {
    expect(renderSection({ name: "x", title: "X", introduction: "how", tables: ["| a |"] })).toBe(
      "## X\n\nhow\n\n| a |",
    );
  });
});
