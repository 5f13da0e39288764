import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";

import fc from "fast-check";
import { expect, it } from "vitest";

import { writeRequestHead } from "./request-head.ts";

it("is what a server reads out of it again", async () => {
  const server = createServer((message, response) => {
    response.end(JSON.stringify([message.method, message.url, message.rawHeaders]));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not listening");
  const head = writeRequestHead(
    {
      method: "POST",
      path: "/v1/chat?beta=true",
      headers: ["authorization", "Bearer a-b", "x-note", "caf\xe9"],
      body: Buffer.from("{}"),
    },
    "api.example:8443",
  );
  const socket = connect(address.port, "127.0.0.1");
  socket.end(`${head}{}`, "latin1");
  let answer = "";
  for await (const chunk of socket) answer += String(chunk);
  server.close();
  expect(JSON.parse(answer.slice(answer.indexOf("\r\n\r\n") + 4).match(/\[.*\]/)?.[0] ?? "")).toEqual([
    "POST",
    "/v1/chat?beta=true",
    [
      "host",
      "api.example:8443",
      "connection",
      "keep-alive",
      "authorization",
      "Bearer a-b",
      "x-note",
      "caf\xe9",
      "content-length",
      "2",
    ],
  ]);
});

const request = { method: "POST", path: "/", headers: [] as string[], body: Buffer.from("{}") } as const;

it("takes a host among the headers for its own, and says nothing of a body where there is none", () => {
  expect(writeRequestHead({ ...request, method: "GET", headers: ["Host", "signed.example"], body: null }, "a")).toBe(
    "GET / HTTP/1.1\r\nhost: signed.example\r\nconnection: keep-alive\r\n\r\n",
  );
});

it.each([
  ["a line end in a value", { headers: ["a", "b\r\nc: d"] }, "value of the header a"],
  ["a null byte in a value", { headers: ["a", "\0"] }, "value of the header a"],
  ["a character that is no byte", { headers: ["a", "\u20ac"] }, "value of the header a"],
  ["a blank in a name", { headers: ["a b", "c"] }, "header name"],
  ["an empty name", { headers: ["", "c"] }, "header name"],
  ["a blank in the path", { path: "/a b" }, "path"],
  ["a line end in the path", { path: "/a\r\nx: y" }, "path"],
  ["a path that is none", { path: "a" }, "path"],
  ["a length of its own", { headers: ["Content-Length", "1"] }, "cannot be set"],
  ["an encoding of its own", { headers: ["Transfer-Encoding", "chunked"] }, "cannot be set"],
])("never has %s", (_what, part, why) => {
  expect(() => writeRequestHead({ ...request, ...part }, "a")).toThrow(why);
});

it("has as many lines as it was given headers, whatever is in them", () => {
  const any = fc.string({ unit: "binary", maxLength: 20 });
  fc.assert(
    fc.property(any, any, any, (path, name, value) => {
      let head: string;
      try {
        head = writeRequestHead({ ...request, path: `/${path}`, headers: [name, value] }, "h");
      } catch {
        return;
      }
      const lines = head.split("\r\n");
      // The request, host, connection, length, and the two of the end; a host of its own is no further line.
      expect(lines.length).toBe(name.toLowerCase() === "host" ? 6 : 7);
      expect(head.split(/[\r\n]/).length).toBe(lines.length * 2 - 1);
    }),
  );
});
