import { describe, expect, it } from "vitest";

import { briefly } from "./processes.ts";

describe("briefly", () => {
  it("picks the line that tells the error and leaves out where the files lie", () => {
    const output = [
      "node:internal/modules/run_main:107",
      "Error [ERR_MODULE_NOT_FOUND]: Cannot find module '/home/ann/tuloy/src/main.ts' imported from file:///home/ann/x.mjs",
      "    at finalizeResolution (node:internal/modules/esm/resolve:283:11)",
    ].join("\n");
    expect(briefly(output)).toBe("Error [ERR_MODULE_NOT_FOUND]: Cannot find module 'main.ts' imported from x.mjs");
  });

  it("takes the last line when none tells an error, and is empty for silence", () => {
    expect(briefly("starting\nport 80 is taken\n\n")).toBe("port 80 is taken");
    expect(briefly("")).toBe("");
  });
});
