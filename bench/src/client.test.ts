import { describe, expect, it } from "vitest";

import { jsonAnswer, streamEvents } from "./answers.ts";
import { hasContent, whyIncomplete } from "./client.ts";

const events = streamEvents("bench-sse", 2);

describe("whyIncomplete", () => {
  it("finds nothing wrong with a whole JSON answer, a whole stream, and a stream that begins with a comment", () => {
    expect(whyIncomplete(200, jsonAnswer())).toBeNull();
    expect(whyIncomplete(200, events.join(""))).toBeNull();
    expect(whyIncomplete(200, `: waiting\n\n${events.join("")}`)).toBeNull();
  });

  it("names what is missing", () => {
    expect(whyIncomplete(503, '{"error":{}}')).toContain("status 503");
    expect(whyIncomplete(200, events.slice(0, -1).join(""))).toBe("no [DONE]");
    expect(whyIncomplete(200, `${events[0]}data: {"error":{"message":"broken"}}\n\n`)).toBe("an error in the stream");
    expect(whyIncomplete(200, `${events[0]}data: [DONE]\n\n`)).toBe("no content");
    expect(whyIncomplete(200, "<html>")).toBe("no content");
  });
});

describe("hasContent", () => {
  it("is not fooled by the empty content that comes with the role", () => {
    expect(hasContent(events[0] ?? "")).toBe(false);
    expect(hasContent(events[1] ?? "")).toBe(true);
  });
});
