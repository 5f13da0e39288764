import { randomBytes } from "node:crypto";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Seal } from "./seal.ts";

const master = randomBytes(32);
const seal = new Seal(master, "tests");

describe("a seal", () => {
  it("opens what it closed, for the same record, and shows nothing of it", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 200 }), fc.array(fc.string()), (content, record) => {
        const closed = seal.close(content, record);
        expect(closed.includes(content)).toBe(false);
        expect(seal.open(closed, record)).toEqual(Buffer.from(content));
      }),
    );
  });

  it("does not open for another record or purpose, or under another master key", () => {
    const closed = seal.close(Buffer.from("an answer"), ["acme", "record-1"]);
    expect(seal.open(closed, ["acme", "record-2"])).toBeNull();
    expect(seal.open(closed, ["other", "record-1"])).toBeNull();
    expect(seal.open(closed, ["acme record-1"])).toBeNull();
    expect(new Seal(master, "other tests").open(closed, ["acme", "record-1"])).toBeNull();
    expect(new Seal(randomBytes(32), "tests").open(closed, ["acme", "record-1"])).toBeNull();
  });

  it("does not open what was changed or cut, wherever", () => {
    const closed = seal.close(Buffer.from("an answer"), []);
    for (let at = 0; at < closed.length; at++) {
      const changed = Buffer.from(closed);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      expect(seal.open(changed, [])).toBeNull();
      expect(seal.open(closed.subarray(0, at), [])).toBeNull();
    }
  });

  it("never closes the same content in the same way", () => {
    const content = Buffer.from("an answer");
    expect(seal.close(content, []).equals(seal.close(content, []))).toBe(false);
  });

  it("digests by its own key, and tells the parts apart", () => {
    expect(seal.digest(["a", "b"])).toBe(new Seal(master, "tests").digest(["a", "b"]));
    const different = [
      seal.digest(["a", "b"]),
      seal.digest(["ab"]),
      seal.digest(["a"], Buffer.from("b")),
      seal.digest(["a", "b"], Buffer.from("")),
      new Seal(randomBytes(32), "tests").digest(["a", "b"]),
      new Seal(master, "other tests").digest(["a", "b"]),
    ];
    expect(new Set(different).size).toBe(different.length);
  });
});
