import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { cleanReason } from "./reason.ts";

describe("cleanReason", () => {
  it.each([
    ["Incorrect API key provided: sk-proj-abc123. Sorry.", "Incorrect API key provided: [hidden] Sorry."],
    ["key sk-ant-api03-xyz is bad", "key [hidden] is bad"],
    ["got Authorization: Bearer abc.def", "got Authorization: Bearer [hidden]"],
    ["invalid: gsk_0123456789abcdef", "invalid: [hidden]"],
    ["token=abcdef", "token=[hidden]"],
    ['{"api_key": "hunter2"}', '{"api_key": [hidden]'],
    ["see https://user:pass@host/x", "see https://[hidden]@host/x"],
    ["your key ab12****yz9 is wrong", "your key [hidden] is wrong"],
    ["id 0123456789abcdef0123456789abcdef here", "id [hidden] here"],
    ["eyJhbGciOiJIUzI1NiJ9.e30.abc expired", "[hidden] expired"],
  ])("hides the secret in %j", (text, expected) => {
    expect(cleanReason(text)).toBe(expected);
  });

  it.each([
    "The model `meta-llama/Llama-3.3-70B-Instruct` does not exist.",
    "This model's maximum context length is 131072 tokens.",
    "Your API key is not allowed to do this",
    "claude-sonnet-4-5-20250929 is overloaded",
  ])("leaves %j as it is", (text) => {
    expect(cleanReason(text)).toBe(text);
  });

  it("makes one line of it, without control characters", () => {
    expect(cleanReason(" a\r\n\tb\u0000\u001b[31mc\u200b ")).toBe("a b [31mc");
  });

  it("never lets a key through, wherever it stands and however long the text is", () => {
    const key = fc.stringMatching(/^sk-[A-Za-z0-9_-]{8,60}$/);
    fc.assert(
      fc.property(fc.nat(2500), key, (length, key) => {
        const cleaned = cleanReason(`${"word ".repeat(length / 5)}${key} after`);
        expect(cleaned).not.toContain(key.slice(0, 8));
        expect(cleaned.length).toBeLessThanOrEqual(300);
      }),
    );
  });
});
