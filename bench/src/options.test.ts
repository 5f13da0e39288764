import { describe, expect, it } from "vitest";

import { parseOptions } from "./options.ts";

describe("parseOptions", () => {
  it("compares everything unless told otherwise", () => {
    expect(parseOptions([])).toMatchObject({ command: "compare", only: null, rounds: 7, write: false });
  });

  it("takes a command, lists and numbers", () => {
    expect(
      parseOptions(["soak", "--minutes", "3", "--only", "tuloy,bare-node", "--cases=sse,json-1m", "--write"]),
    ).toMatchObject({
      command: "soak",
      minutes: 3,
      only: ["tuloy", "bare-node"],
      cases: ["sse", "json-1m"],
      write: true,
    });
  });

  it("lets a given number stand against --quick", () => {
    expect(parseOptions(["--quick", "--rounds", "5"])).toMatchObject({ rounds: 5, seconds: 2, samples: 3 });
  });

  it.each([
    [["fly"], "command"],
    [["--cases", "tiny"], "case"],
    [["--rounds", "0"], "--rounds"],
    [["--minutes", "many"], "--minutes"],
    [["--rate", "1e9"], "--rate"],
    [["soak", "start"], "one command"],
    [["--speed", "9"], "--speed"],
  ])("refuses %j and says why", (args, words) => {
    expect(() => parseOptions(args)).toThrow(words);
  });
});
