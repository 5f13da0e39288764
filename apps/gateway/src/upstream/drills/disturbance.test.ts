import { chatChunks, deployment, FakeClock } from "@tuloy/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { CallControl, CallHandler, UpstreamRequest } from "../outlet.ts";
import { Disturbance } from "./disturbance.ts";
import type { DisturbingFault } from "./laying.ts";

/** What a call's handler was told. */
class Told implements CallHandler {
  bytes = Buffer.alloc(0);
  end: "open" | "whole" | "broken" = "open";
  drilledBy(): void {}
  onRequestStart(): void {}
  onResponseStart(): void {}
  onResponseData(chunk: Buffer): void {
    this.bytes = Buffer.concat([this.bytes, chunk]);
  }
  onResponseEnd(): void {
    this.end = "whole";
  }
  onResponseError(): void {
    this.end = "broken";
  }
}

/** The provider's connection. */
class Real implements CallControl {
  aborted = false;
  paused = false;
  abort(): void {
    this.aborted = true;
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
}

const request: UpstreamRequest = {
  deployment: deployment("a"),
  dialect: "openai-chat",
  stream: true,
  to: { origin: "http://127.0.0.1", private: true },
  path: "/",
  headers: [],
  body: Buffer.alloc(0),
};

/** Passes an answer through a fault, in these chunks. @returns what came out of it */
function passThrough(
  fault: DisturbingFault,
  chunks: readonly Buffer[],
  options: { readonly stream?: boolean; readonly endsAfter?: number; readonly ended?: boolean } = {},
): { readonly told: Told; readonly real: Real; readonly heldUp: Set<() => void> } {
  const { stream = true, endsAfter = Infinity, ended = false } = options;
  const heldUp = new Set<() => void>();
  const host = {
    clock: new FakeClock(),
    underWay: !ended,
    hold(letGo: () => void) {
      heldUp.add(letGo);
      return () => void heldUp.delete(letGo);
    },
  };
  const told = new Told();
  const real = new Real();
  const disturbance = new Disturbance(fault, { ...request, stream }, told, host);
  disturbance.onRequestStart(real, false);
  disturbance.onResponseStart(200, { "content-type": stream ? "text/event-stream" : "application/json" });
  for (const [index, chunk] of chunks.entries()) {
    if (index === endsAfter) host.underWay = false;
    if (!real.aborted) disturbance.onResponseData(chunk);
  }
  if (real.aborted) disturbance.onResponseError(new Error("aborted"));
  else disturbance.onResponseEnd();
  return { told, real, heldUp };
}

const broken = 'data: {"choices":[{"index":0,"delta":{"content":" brok\n\n';
const events = chatChunks(["one ", "two ", "drei — ", "四"], { usage: [1, 4] });
const stream = Buffer.from(events.join(""));
/** Events before the first with content, and before the one with the finish reason. */
const [lead, last] = [1, 5];

/** The stream cut anywhere. */
const chunkings = fc
  .uniqueArray(fc.integer({ min: 1, max: stream.length - 1 }), { maxLength: 30 })
  .map((cuts) => [0].concat(cuts.sort((a, b) => a - b)))
  .map((starts) => starts.map((start, index) => stream.subarray(start, starts[index + 1])));
const places = fc.integer({ min: 0, max: 6 });

function upTo(tokens: number): string {
  return events.slice(0, Math.min(lead + tokens, last)).join("");
}

describe("wherever the chunks of a stream are cut,", () => {
  it.each([
    ["cut", "broken", 0],
    ["truncate", "whole", 0],
    ["stall", "open", 1],
  ] as const)("%s passes exactly the events before its place", (name, end, held) => {
    fc.assert(
      fc.property(chunkings, places, (chunks, tokens) => {
        const { told, real, heldUp } = passThrough({ name, tokens }, chunks);
        expect(told.bytes.toString()).toBe(upTo(tokens));
        expect(told.end).toBe(end);
        expect(real.aborted).toBe(true);
        expect(heldUp.size).toBe(held);
        for (const letGo of heldUp) letGo();
        expect(told.end).toBe(held > 0 ? "broken" : end);
      }),
    );
  });

  it("malformed slips one event in, and changes no other byte", () => {
    fc.assert(
      fc.property(chunkings, places, (chunks, tokens) => {
        const { told } = passThrough({ name: "malformed", tokens }, chunks);
        const before = upTo(tokens);
        expect(told.bytes.toString()).toBe(before + broken + stream.toString().slice(before.length));
        expect(told.end).toBe("whole");
      }),
    );
  });

  it("no-done takes the terminator away, and nothing else", () => {
    fc.assert(
      fc.property(chunkings, (chunks) => {
        const { told } = passThrough({ name: "no-done" }, chunks);
        expect(told.bytes.toString()).toBe(events.slice(0, -1).join(""));
        expect(told.end).toBe("whole");
      }),
    );
  });

  it("a drill that ends before its fault's place leaves the rest as it is", () => {
    fc.assert(
      fc.property(chunkings, places, (chunks, tokens) => {
        const { told } = passThrough({ name: "cut", tokens }, chunks, { endsAfter: 0 });
        expect(told.bytes.toString()).toBe(stream.toString());
        expect(told.end).toBe("whole");
      }),
    );
  });
});

it.each<DisturbingFault>([
  { name: "slow-first-token", ms: 60_000 },
  { name: "cut", tokens: 0 },
  { name: "truncate", tokens: 0 },
  { name: "stall", tokens: 0 },
  { name: "malformed", tokens: 0 },
  { name: "no-done" },
])("does nothing to an answer that begins after the drill's end ($name)", (fault) => {
  const { told, real, heldUp } = passThrough(fault, [stream], { ended: true });
  expect([told.bytes.toString(), told.end]).toEqual([stream.toString(), "whole"]);
  expect([real.paused, heldUp.size]).toEqual([false, 0]);
});

it("stops a JSON answer half-way", () => {
  const body = Buffer.from('{"some":"answer"}');
  const half = body.subarray(0, 8).toString();
  for (const [name, end] of [
    ["cut", "broken"],
    ["truncate", "whole"],
    ["malformed", "whole"],
    ["stall", "open"],
  ] as const) {
    const { told } = passThrough({ name, tokens: 2 }, [body.subarray(0, 3), body.subarray(3)], { stream: false });
    expect([told.bytes.toString(), told.end]).toEqual([half, end]);
  }
  expect(passThrough({ name: "no-done" }, [body], { stream: false }).told.bytes).toEqual(body);
});
