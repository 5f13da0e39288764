import { clientError } from "@tuloy/contract";
import { describe, expect, it } from "vitest";

import { heartbeat, writeError, writeErrorEvent } from "./errors.ts";

const error = clientError("upstream_failed", "Every provider failed.", {
  attempts: [{ provider: "openai", model: "gpt-4.1", failure: "overloaded", status: 503 }],
});
const expected = {
  error: {
    message: "Every provider failed.",
    type: "server_error",
    code: "upstream_failed",
    param: null,
    metadata: {
      trace_id: "t1",
      attempts: [{ provider: "openai", model: "gpt-4.1", failure: "overloaded", status: 503 }],
    },
  },
};

describe("an error in OpenAI's dialect", () => {
  it("has the public form", () => {
    expect(JSON.parse(writeError(error, "t1").toString())).toEqual(expected);
  });

  it("is one data event inside a stream", () => {
    const event = writeErrorEvent(clientError("stream_broken", "Line\nbreak"), "t1").toString();
    expect(event).toMatch(/^data: \{"error":[^\n]+\}\n\n$/);
    expect(JSON.parse(event.slice(6))).toMatchObject({ error: { message: "Line\nbreak", code: "stream_broken" } });
  });

  it("leaves the sign of life to comments", () => {
    expect(heartbeat.toString()).toMatch(/^:[^\n]*\n\n$/);
  });
});
