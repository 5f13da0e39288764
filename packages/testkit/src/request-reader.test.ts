import fc from "fast-check";
import { expect, test } from "vitest";

import { RequestReader } from "./request-reader.ts";

const wire = Buffer.from(
  "POST /v1/chat HTTP/1.1\r\nHost: a\r\nX-Two: one\r\nx-two: two\r\nContent-Length: 5\r\n\r\nhallo" +
    "POST /chunked HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\na\r\n0123456789\r\n0\r\n\r\n" +
    "GET /none HTTP/1.1\r\nconstructor: data\r\n\r\n",
);

test("requests are the same however the bytes are cut", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: wire.length })), (cuts) => {
      const reader = new RequestReader();
      const borders = [0, ...cuts.sort((a, b) => a - b), wire.length];
      const requests = borders.flatMap((from, at) => reader.push(wire.subarray(from, borders[at + 1] ?? wire.length)));
      expect(requests.map(({ method, path, body }) => [method, path, body.toString()])).toEqual([
        ["POST", "/v1/chat", "hallo"],
        ["POST", "/chunked", "abc0123456789"],
        ["GET", "/none", ""],
      ]);
      expect(requests[0]?.headers["x-two"]).toBe("one, two");
      expect(requests[2]?.headers["constructor"]).toBe("data");
    }),
  );
});

test.each([
  ["no request line", "hello\r\n\r\n"],
  ["HTTP/1.0", "GET / HTTP/1.0\r\n\r\n"],
  ["a header without a name", "GET / HTTP/1.1\r\n: x\r\n\r\n"],
  ["two framings", "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ["a chunk without a size", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
])("%s is an error", (_, bytes) => {
  expect(() => new RequestReader().push(Buffer.from(bytes))).toThrow(Error);
});
