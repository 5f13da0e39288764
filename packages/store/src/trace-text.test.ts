import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { anyTrace, aTrace } from "./sample-traces.ts";
import { position, readTrace, writeTrace } from "./trace-text.ts";

describe("the text of a trace", () => {
  it("reads back as the trace it was made from", () => {
    fc.assert(
      fc.property(anyTrace, (trace) => {
        expect(readTrace(writeTrace(trace))).toEqual(trace);
      }),
    );
  });

  it("holds what is filtered by at the positions that databases are told", () => {
    fc.assert(
      fc.property(anyTrace, (trace) => {
        const stored: unknown[] = JSON.parse(writeTrace(trace));
        expect(stored[position.environment]).toBe(trace.environment);
        expect(stored[position.requestedModel]).toBe(trace.requested_model);
        expect(stored[position.model]).toBe(trace.model);
        expect(stored[position.outcome]).toBe(trace.outcome);
        expect(stored[position.provider]).toBe(trace.provider);
      }),
    );
  });

  it("takes less than half the space of the trace's JSON", () => {
    const trace = aTrace();
    expect(writeTrace(trace).length).toBeLessThan(JSON.stringify(trace).length / 2);
  });

  it("is refused when it is of another format", () => {
    const later = writeTrace(aTrace()).replace(/^\[1,/, "[2,");
    expect(() => readTrace(later)).toThrow("not of format 1");
    expect(() => readTrace("[1]")).toThrow("not of format 1");
    expect(() => readTrace("{}")).toThrow("not of format 1");
  });
});
