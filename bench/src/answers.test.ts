import { describe, expect, it } from "vitest";

import { chatRequest, compareAnswers, jsonAnswer, streamEvents } from "./answers.ts";

describe("chatRequest", () => {
  it.each([512, 32_768, 1_048_576])("is exactly %i bytes of valid JSON", (bytes) => {
    const request = chatRequest("bench-json", bytes);
    expect(Buffer.byteLength(request)).toBe(bytes);
    expect(JSON.parse(request)).toMatchObject({ model: "bench-json", stream: false });
  });

  it("asks for a stream under the models that stream", () => {
    expect(JSON.parse(chatRequest("bench-sse", 512))).toMatchObject({ stream: true });
  });
});

describe("compareAnswers", () => {
  const stream = streamEvents("bench-sse", 3).join("");

  it("tells identical bytes from the same content written anew", () => {
    expect(compareAnswers(jsonAnswer(), jsonAnswer())).toBe("same bytes");
    expect(compareAnswers(jsonAnswer(), JSON.stringify(JSON.parse(jsonAnswer()), null, 2))).toBe("same meaning");
    expect(compareAnswers(stream, stream.replaceAll("\n", "\r\n"))).toBe("same meaning");
  });

  it("finds a lost event, a doubled one, a changed word and a missing terminator", () => {
    const events = streamEvents("bench-sse", 3);
    expect(compareAnswers(stream, events.slice(1).join(""))).toBe("different");
    expect(compareAnswers(stream, [events[0], ...events].join(""))).toBe("different");
    expect(compareAnswers(stream, stream.replace("onward", "upward"))).toBe("different");
    expect(compareAnswers(stream, stream.replace("data: [DONE]\n\n", ""))).toBe("different");
  });

  it("calls an error page different, not a crash", () => {
    expect(compareAnswers(jsonAnswer(), "<html>")).toBe("different");
    expect(compareAnswers(stream, "data: half")).toBe("different");
  });
});
