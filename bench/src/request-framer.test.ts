import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type FramedRequest, RequestFramer } from "./request-framer.ts";

function frame(text: string, cuts: readonly number[] = []): FramedRequest[] {
  const requests: FramedRequest[] = [];
  const framer = new RequestFramer((request) => requests.push(request));
  const bytes = Buffer.from(text, "latin1");
  const edges = [0, ...cuts.map((cut) => cut % bytes.length).sort((a, b) => a - b), bytes.length];
  for (const [i, edge] of edges.slice(1).entries()) framer.push(bytes.subarray(edges[i], edge));
  return requests;
}

const post = (body: string) =>
  `POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

describe("RequestFramer", () => {
  it("reads requests that follow each other on one connection", () => {
    expect(frame(`${post("{}")}GET /counters HTTP/1.1\r\nhost: a\r\n\r\n${post('{"model":"m"}')}`)).toEqual([
      { requestLine: "POST /v1/chat/completions HTTP/1.1", bodyStart: "{}", bodyBytes: 2 },
      { requestLine: "GET /counters HTTP/1.1", bodyStart: "", bodyBytes: 0 },
      { requestLine: "POST /v1/chat/completions HTTP/1.1", bodyStart: '{"model":"m"}', bodyBytes: 13 },
    ]);
  });

  it("finds the same requests wherever the bytes are cut", () => {
    const text = `${post('{"model":"bench-sse"}')}${post("x".repeat(2000))}${post("")}`;
    fc.assert(
      fc.property(fc.array(fc.nat(10_000), { maxLength: 20 }), (cuts) => {
        expect(frame(text, cuts)).toEqual(frame(text));
      }),
    );
  });

  it("keeps only the beginning of a large body but counts all of it", () => {
    const [request] = frame(post("y".repeat(100_000)));
    expect(request?.bodyStart).toHaveLength(512);
    expect(request?.bodyBytes).toBe(100_000);
  });

  it("refuses what it cannot frame", () => {
    expect(() => frame("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n")).toThrow("chunked");
    expect(() => frame("x".repeat(70_000))).toThrow("too large");
  });
});
