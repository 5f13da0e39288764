import { answersChat, eventually, readChatStream } from "@tuloy/testkit";
import { describe, expect, onTestFinished, test } from "vitest";

import { model } from "../harness.ts";
import { breakerOf, hearStream, post, setScene } from "../scene.ts";
import { errorOf, shareScene } from "../shared-scene.ts";
import { answerOn, openWire, rawRequest } from "../wire.ts";

const scene = shareScene();

describe("bytes that are no proper HTTP", () => {
  test.each([
    ["both a length and chunks", { lines: ["Transfer-Encoding: chunked"] }],
    ["two lengths", { lines: ["Content-Length: 3"] }],
    ["a negative length", { without: ["content-length"] as const, lines: ["Content-Length: -1"] }],
    ["a NUL in a header", { lines: ["x-tuloy-tags: a=b\0c"] }],
    ["a bare CR in a header", { lines: ["x-tuloy-tags: a=b\rx-injected: yes"] }],
    ["a bare LF in a header", { lines: ["x-tuloy-tags: a=b\nx-injected: yes"] }],
    ["a folded header", { lines: ["x-tuloy-tags: a=b", " c=d"] }],
    ["a space before the colon", { lines: ["x-tuloy-tags : a=b"] }],
    ["a transfer coding that is unknown", { without: ["content-length"] as const, lines: ["Transfer-Encoding: gzip"] }],
    ["a method that is none", { method: "BREW" }],
    ["a TLS greeting", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
    ["an HTTP/2 greeting", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["nothing but zeros", "\0".repeat(1000)],
  ])("%s: refused with 400, in OpenAI's form, and the connection is closed", async (_, request) => {
    const wire = await openWire(scene.gateway.url);
    wire.send(typeof request === "string" ? request : rawRequest(request));
    await wire.closed();
    const { status, head, error } = await answerOn(wire);
    expect(status).toBe(400);
    expect(head.toLowerCase()).toContain("connection: close");
    expect(error).toMatchObject({ code: "invalid_request", type: "invalid_request_error" });
    expect(wire.heard().match(/HTTP\/1\.1 \d/g)).toHaveLength(1);
    expect(scene.asked()).toEqual([]);
    // The gateway is still there.
    expect((await post(scene.gateway)).status).toBe(200);
  });

  test("headers of a hundred kilobytes are refused with 431", async () => {
    const wire = await openWire(scene.gateway.url);
    wire.send(rawRequest({ lines: [`x-long: ${"a".repeat(100_000)}`] }));
    await wire.closed();
    expect(wire.heard()).toMatch(/^HTTP\/1\.1 431 /);
    expect(scene.asked()).toEqual([]);
  });

  test("garbage behind a request that is being answered ends that request, and never gets into its answer", async () => {
    const { promise: hold, resolve: release } = Promise.withResolvers<void>();
    const { a, gateway } = await setScene({
      a: (reply) => void reply.eventStream().chunk('data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n').wait(hold),
    });
    const body = JSON.stringify({ model, messages: [], stream: true });
    const wire = await openWire(gateway.url);
    wire.send(rawRequest({ body }));
    await wire.until("Hi");
    wire.send("\x16\x03garbage\r\n\r\n");
    await wire.closed();
    expect(wire.heard().match(/HTTP\/1\.1 \d/g)).toHaveLength(1);
    await a.closed(0);
    release();
    expect(await gateway.lastTrace()).toMatchObject({ outcome: "cancelled" });
  });
});

describe("unusual HTTP that is proper", () => {
  test("HTTP/1.0 gets a JSON answer and the end of the connection", async () => {
    const wire = await openWire(scene.gateway.url);
    wire.send(rawRequest({ version: "1.0", without: ["host"] }));
    const heard = await wire.closed();
    expect(heard).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(heard).toContain("hello there");
  });

  test("HTTP/1.0 gets a stream without chunks, whole at the end of the connection", async () => {
    const wire = await openWire(scene.gateway.url);
    wire.send(rawRequest({ version: "1.0", body: JSON.stringify({ model, messages: [], stream: true }) }));
    const heard = await wire.closed();
    const [head = "", ...rest] = heard.split("\r\n\r\n");
    expect(head.toLowerCase()).not.toContain("transfer-encoding");
    const stream = readChatStream(Buffer.from(rest.join("\r\n\r\n"), "latin1"));
    expect(stream).toMatchObject({ text: "hello there", terminators: 1, malformed: [], remainder: "" });
  });

  test("a client that waits for 100 Continue is told to go on, and answered", async () => {
    const [head = "", body = ""] = rawRequest({ lines: ["Expect: 100-continue"] }).split("\r\n\r\n");
    const wire = await openWire(scene.gateway.url);
    wire.send(`${head}\r\n\r\n`);
    await wire.until("HTTP/1.1 100 Continue\r\n\r\n");
    wire.send(body);
    expect(await wire.until("hello there")).toContain("HTTP/1.1 200 OK");
  });

  test("requests sent one behind the other without waiting are answered in their order", async () => {
    const wire = await openWire(scene.gateway.url);
    const ask = (name: string, stream: boolean) =>
      rawRequest({ body: JSON.stringify({ model: name, messages: [], stream }) });
    wire.send(ask(model, true) + ask("nothing", false) + ask(model, false));
    await wire.until('"total_tokens":12}}');
    const statuses = wire.heard().match(/(?<=HTTP\/1\.1 )\d+/g);
    expect(statuses).toEqual(["200", "404", "200"]);
    expect(wire.heard().indexOf("[DONE]")).toBeLessThan(wire.heard().indexOf("model_not_found"));
    expect(scene.asked()).toHaveLength(2);
  });

  test("a client that leaves with requests queued behind a stream leaves nothing running", async () => {
    const { a, gateway } = await setScene({
      a: (reply) => void reply.eventStream().chunk('data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n'),
    });
    const wire = await openWire(gateway.url);
    wire.send(rawRequest({ body: JSON.stringify({ model, messages: [], stream: true }) }).repeat(3));
    await wire.until("Hi");
    await a.received(2);
    wire.socket.resetAndDestroy();
    await eventually(() => a.openSockets === 0, "the end of all three upstream calls");
    const traces = await eventually(async () => {
      const all = await gateway.traces();
      return all.length === 3 ? all : undefined;
    }, "three traces");
    expect(traces.map(({ outcome }) => outcome)).toEqual(["cancelled", "cancelled", "cancelled"]);
  });

  test("a client that leaves with an answer unread ends the call of the request behind it", async () => {
    const { a, gateway } = await setScene({ a: [answersChat("long ".repeat(2_000_000)), (reply) => reply.silence()] });
    const wire = await openWire(gateway.url);
    wire.socket.pause();
    wire.send(rawRequest());
    await a.received(0);
    wire.send(rawRequest());
    await a.received(1);
    // The first request is over and done with, only its bytes still fill the connection: nobody listens there any more.
    expect(await gateway.lastTrace()).toMatchObject({ outcome: "succeeded" });
    expect(a.requests[1]?.closed).toBeNull();
    wire.socket.resetAndDestroy();
    await a.closed(1);
    expect(await gateway.lastTrace(2)).toMatchObject({ outcome: "cancelled" });
  });

  test("a connection that brings many requests collects nothing by them", async () => {
    const warnings: string[] = [];
    const note = ({ name, message }: Error): void => void warnings.push(`${name}: ${message}`);
    process.on("warning", note);
    onTestFinished(() => void process.off("warning", note));
    const wire = await openWire(scene.gateway.url);
    wire.send(rawRequest().repeat(40));
    await eventually(() => wire.heard().split("hello there").length === 41, "forty answers");
    expect(scene.asked()).toHaveLength(40);
    expect(warnings).toEqual([]);
  });

  test("bytes beyond ASCII in a header are no reason to fail", async () => {
    const wire = await openWire(scene.gateway.url);
    wire.send(rawRequest({ lines: ["User-Agent: caf\xe9\x80\xff", "x-tuloy-tags: gr\xfc\xdfe=\xe9"] }));
    await wire.until("hello there");
    expect(scene.sent().headers["user-agent"]).toMatch(/ tuloy\//);
  });
});

describe("what a client says in headers", () => {
  test.each(["__proto__", "constructor", "hasOwnProperty"])("tags called %s are data", async (name) => {
    const answer = await post(scene.gateway, {}, { headers: { "x-tuloy-tags": `${name}=yes,b=c` } });
    const { tags } = await scene.gateway.trace(String(answer.headers["x-tuloy-trace-id"]));
    expect(Object.entries(tags)).toEqual([
      [name, "yes"],
      ["b", "c"],
    ]);
    expect(({} as Record<string, unknown>)["yes"]).toBeUndefined();
  });

  test.each(["nothing", "__proto__", ""])("a route called %j is refused by name", async (name) => {
    const answer = await post(scene.gateway, {}, { headers: { "x-tuloy-route": name } });
    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toMatchObject({ code: "invalid_request", param: "x-tuloy-route" });
    expect(scene.asked()).toEqual([]);
  });

  test.each(["0", "-5", "NaN", "1e999", "soon", "", "9".repeat(400)])(
    "a time limit of %j limits nothing",
    async (limit) => {
      const headers = { "x-tuloy-timeout-ms": limit, "x-stainless-timeout": limit };
      expect((await post(scene.gateway, {}, { headers })).status).toBe(200);
    },
  );

  test("hop-by-hop headers, cookies and credentials stay here", async () => {
    const headers = {
      cookie: "session=secret",
      "proxy-authorization": "Basic secret",
      "x-forwarded-for": "10.1.2.3",
      te: "trailers",
      "openai-organization": "org-secret",
      "openai-beta": "assistants=v2",
    };
    await post(scene.gateway, {}, { headers });
    const received = scene.sent().headers;
    expect(Object.keys(received).toSorted()).toEqual([
      "accept",
      "accept-encoding",
      "authorization",
      "connection",
      "content-length",
      "content-type",
      "host",
      "openai-beta",
      "user-agent",
    ]);
    expect(received["authorization"]).toBe("Bearer sk-a-secret-key");
  });
});

describe("on a loopback listener", () => {
  test.each([
    ["Origin: https://evil.example"],
    ["Origin: null"],
    ["Origin: http://127.0.0.1.evil.example"],
    ["Origin: http://localhost.evil.example:8787"],
    ["Origin: chrome-extension://abcdefgh"],
  ])("a page cannot use the gateway: %s", async (line) => {
    const wire = await openWire(scene.gateway.url);
    wire.send(rawRequest({ lines: [line] }));
    await wire.until("forbidden_origin");
    const { status, head } = await answerOn(wire);
    expect(status).toBe(403);
    expect(head.toLowerCase()).not.toContain("access-control-allow");
    expect(scene.asked()).toEqual([]);
  });

  test.each([
    "evil.example",
    "evil.example:8787",
    "127.0.0.1.evil.example",
    "[2001:db8::1]:80",
    "127.0.0.1@evil.example",
  ])("a name that was pointed here is not answered for: Host %s", async (host) => {
    for (const path of ["/v1/models", "/healthz", "/nothing"]) {
      const wire = await openWire(scene.gateway.url);
      wire.send(rawRequest({ method: "GET", path, without: ["host"], lines: [`Host: ${host}`] }));
      await wire.until("forbidden_origin");
      expect({ path, status: (await answerOn(wire)).status }).toEqual({ path, status: 403 });
    }
    expect(scene.asked()).toEqual([]);
  });

  test.each(["localhost", "localhost:8787", "127.0.0.1:1", "[::1]:8787", "127.8.9.1"])(
    "the machine's own name is: Host %s",
    async (host) => {
      const wire = await openWire(scene.gateway.url);
      wire.send(rawRequest({ without: ["host"], lines: [`Host: ${host}`, "Origin: http://localhost:3000"] }));
      expect(await wire.until("hello there")).toContain("HTTP/1.1 200 OK");
    },
  );
});

test.each(["/healthz", "/readyz", "/healthz/", "/readyz?from=probe"])(
  "%s is answered, also to a HEAD",
  async (path) => {
    for (const method of ["GET", "HEAD"]) {
      const response = await fetch(`${scene.gateway.url}${path}`, { method });
      expect({ method, status: response.status }).toEqual({ method, status: 200 });
      expect(await response.text()).toBe(
        method === "HEAD" ? "" : `{"status":"${path.includes("ready") ? "ready" : "ok"}"}`,
      );
    }
  },
);

test("after all of it the gateway answers as before, and no breaker has moved", async () => {
  const wires = await Promise.all(Array.from({ length: 20 }, () => openWire(scene.gateway.url)));
  for (const [index, wire] of wires.entries()) {
    wire.send([rawRequest({ body: "{" }), "\0\0\0", rawRequest({ path: "/x" }), rawRequest()][index % 4] ?? "");
    if (index % 3 === 0) wire.socket.resetAndDestroy();
  }
  const { text, error } = await hearStream(scene.gateway.client());
  expect({ text, error }).toEqual({ text: "hello there", error: null });
  expect(breakerOf(scene.gateway, "a").isClosed).toBe(true);
});
