import fc from "fast-check";
import { expect, it } from "vitest";

import { readRequestBody } from "../json/request-body.ts";
import { usedParameters } from "./used.ts";

/** Of a body with these members, of which one may be there twice. */
function used(members: readonly (readonly [key: string, value: string])[]): readonly string[] {
  const text = ['"model":"m"', ...members.map(([key, value]) => `${JSON.stringify(key)}:${value}`)].join(",");
  const read = readRequestBody(Buffer.from(`{${text}}`));
  if ("code" in read) throw new Error(read.message);
  return usedParameters(read.sendable, read.fields);
}

it("names every parameter once, in the order of the body, however many there are", () => {
  const key = fc.integer({ min: 0, max: 60 }).map((number) => `p${number}`);
  fc.assert(
    fc.property(fc.array(key, { maxLength: 120 }), (keys) => {
      expect(used(keys.map((name) => [name, "1"] as const))).toEqual([...new Set(keys)]);
    }),
  );
});

it("names none that is null, nor what everybody gives", () => {
  expect(
    used([
      ["temperature", "0"],
      ["top_p", "null"],
      ["n", "1"],
      ["user", '"u"'],
    ]),
  ).toEqual(["temperature"]);
});

it("is done with two hundred thousand of them in time", () => {
  const keys = Array.from({ length: 200_000 }, (_, index) => `p${index}`);
  expect(used(keys.map((name) => [name, "1"] as const))).toHaveLength(200_000);
});
