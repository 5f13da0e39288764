import { describe, expect, it } from "vitest";

import { presetKinds, presetOf } from "./index.ts";

describe("the providers", () => {
  it("are known by their kind", () => {
    expect(new Set(presetKinds).size).toBe(presetKinds.length);
    for (const kind of presetKinds) expect(presetOf(kind)?.kind).toBe(kind);
  });

  it("are not what objects inherit", () => {
    for (const kind of ["", "OpenAI", "constructor", "__proto__", "toString"]) expect(presetOf(kind)).toBeNull();
  });

  it("have addresses and paths that fit together", () => {
    for (const kind of presetKinds) {
      const preset = presetOf(kind);
      expect(preset?.baseUrl ?? "https://x").not.toMatch(/\/$/);
      for (const endpoint of Object.values(preset?.endpoints ?? {}).flat())
        expect(endpoint.path).toMatch(/^\/\S*[A-Za-z]$/);
    }
  });

  it("compare messages in lower case, and say why each marker is there", () => {
    for (const kind of presetKinds) {
      for (const { message = "", because } of presetOf(kind)?.markers ?? []) {
        expect(message).toBe(message.toLowerCase());
        expect(because).not.toBe("");
      }
    }
  });
});
