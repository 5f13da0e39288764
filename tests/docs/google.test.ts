import { googleRegions } from "@tuloy/dialects";
import { expect, test } from "vitest";

import { codeOf, page, table } from "./markdown.ts";

test("the table of docs/google.md has every location, in the region of the code", () => {
  const said = table(page("docs/google.md"), "region", "locations").flatMap(([region = "", locations = ""]) =>
    codeOf(locations).map((location) => [location, codeOf(region)[0]]),
  );
  const known = [...googleRegions].map(([location, region]) => [location, region.split("-")[0]]);
  expect(new Map(said as [string, string][])).toEqual(new Map(known as [string, string][]));
  expect(said).toHaveLength(googleRegions.size);
});
