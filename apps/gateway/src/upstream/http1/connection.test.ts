import { once } from "node:events";
import { createServer as createHttpServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import {
  createServer as createPlainTlsServer,
  getCACertificates,
  setDefaultCACertificates,
  type TLSSocket,
} from "node:tls";

import { FakeClock } from "@tuloy/testkit";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";

import { systemClock } from "../../clock.ts";
import { OriginPool } from "../origin-pool.ts";
import type { CallControl, CallHandler } from "../outlet.ts";

/** Of a server that only these tests know, for the name localhost. */
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgd7ikPzCOlVebrxR7
ub2SdJ7uCcfOGPlgczW4tprl9TehRANCAARTvPuUjX9pRnt/RjbrQpJbBWZKi70u
7oxJibQ61786MsiibMY4mvQKsZGbhUFGp55EZMs2CZBdBkoNhxJMb9x/
-----END PRIVATE KEY-----`;
const certificate = `-----BEGIN CERTIFICATE-----
MIIBlTCCATugAwIBAgIUL6lbUBZi0EA/YcUFx24SSuQfGagwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNDE0MzczMloYDzIxMjYxMDMx
MTQzNzMyWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARTvPuUjX9pRnt/RjbrQpJbBWZKi70u7oxJibQ61786MsiibMY4mvQK
sZGbhUFGp55EZMs2CZBdBkoNhxJMb9x/o2kwZzAdBgNVHQ4EFgQU8LBb70d20hd7
nSt7AOQCN7jA194wHwYDVR0jBBgwFoAU8LBb70d20hd7nSt7AOQCN7jA194wDwYD
VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID
SAAwRQIhAJHQFov4CtQPgamj01uF7k86fvDYLC/+dlDCCAaZAV5fAiAm1j12PyIr
0Fe8PXdsehdynxd+WUMMAIJ7Ezg6M0aTIg==
-----END CERTIFICATE-----`;

/** One call, and what it was told. */
class Call implements CallHandler {
  readonly over = Promise.withResolvers<string>();
  control: CallControl | null = null;
  reused = false;
  code: unknown = null;
  status = 0;
  bytes = 0;
  #onFirst: (() => void) | null;
  #chunks: Buffer[] = [];

  constructor(onFirst: (() => void) | null = null) {
    this.#onFirst = onFirst;
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString();
  }

  drilledBy(): void {}

  onRequestStart(control: CallControl, reused: boolean): void {
    this.control = control;
    this.reused = reused;
  }

  onResponseStart(status: number): void {
    this.status = status;
  }

  onResponseData(chunk: Buffer): void {
    this.bytes += chunk.length;
    this.#chunks.push(chunk);
    this.#onFirst?.();
    this.#onFirst = null;
  }

  onResponseEnd(): void {
    this.over.resolve("whole");
  }

  onResponseError(error: Error): void {
    this.code = "code" in error ? error.code : null;
    this.over.resolve(error.message);
  }
}

const opened: { close(): void }[] = [];

function portOf(server: Server | TcpServer): number {
  return (server.address() as AddressInfo).port;
}

/** A pool to a server on loopback; both end with the test. */
async function poolTo(
  server: Server | TcpServer,
  origin: (port: number) => string,
  clock = systemClock,
): Promise<OriginPool> {
  server.listen(0, "localhost");
  await once(server, "listening");
  const pool = new OriginPool({ origin: origin(portOf(server)), private: true }, clock);
  opened.push({
    close() {
      pool.destroy();
      server.close();
      if ("closeAllConnections" in server) server.closeAllConnections();
    },
  });
  return pool;
}

const plain = (port: number): string => `http://localhost:${port}`;

async function post(pool: OriginPool, body = "{}", call = new Call()): Promise<Call> {
  pool.dispatch(
    { method: "POST", path: "/", headers: ["content-type", "application/json"], body: Buffer.from(body) },
    call,
  );
  await call.over.promise;
  return call;
}

/** Answers with the request's own body. */
const echo: RequestListener = (message, response) => void message.pipe(response);

afterEach(() => {
  for (const one of opened.splice(0)) one.close();
});

const trusted = getCACertificates("default");
beforeAll(() => setDefaultCACertificates([...trusted, certificate]));
afterAll(() => setDefaultCACertificates(trusted));

describe("over TLS", () => {
  it("a call is answered, the next goes over the same connection, and a next connection resumes the session", async () => {
    const resumed: boolean[] = [];
    const server = createTlsServer({ key, cert: certificate }, echo);
    server.on("secureConnection", (socket: TLSSocket) => resumed.push(socket.isSessionReused()));
    const pool = await poolTo(server, (port) => `https://localhost:${port}`);
    expect(await post(pool, "one")).toMatchObject({ status: 200, text: "one", reused: false });
    await vi.waitFor(() => expect(pool.idle).toBe(1));
    expect(await post(pool, "two")).toMatchObject({ status: 200, text: "two", reused: true });
    const fresh = new Call();
    pool.dispatchFresh({ method: "POST", path: "/", headers: [], body: Buffer.from("three") }, fresh);
    expect(await fresh.over.promise).toBe("whole");
    expect(resumed).toEqual([false, true]);
  });

  it("large bodies arrive whole in both directions", async () => {
    const pool = await poolTo(createTlsServer({ key, cert: certificate }, echo), (port) => `https://localhost:${port}`);
    const body = Array.from({ length: 200_000 }, (_, i) => `line ${i}\n`).join("");
    const call: Call = new Call(() => {
      call.control?.pause();
      setImmediate(() => call.control?.resume());
    });
    await post(pool, body, call);
    expect(call.text === body).toBe(true);
  });

  it("only HTTP/1.1 is spoken, and the server is told which name is meant", async () => {
    const seen: unknown[] = [];
    const server = createTlsServer({ key, cert: certificate, ALPNProtocols: ["h2", "http/1.1"] }, echo);
    server.on("secureConnection", (socket: TLSSocket & { readonly servername?: string }) =>
      seen.push([socket.alpnProtocol, socket.servername]),
    );
    await post(await poolTo(server, (port) => `https://localhost:${port}`));
    expect(seen).toEqual([["http/1.1", "localhost"]]);
  });

  it("nothing is sent to a server whose certificate is for another name, or from nobody known", async () => {
    let requests = 0;
    const server = createTlsServer({ key, cert: certificate }, () => (requests += 1));
    const pool = await poolTo(server, (port) => `https://127.0.0.1:${port}`);
    expect(await (await post(pool)).over.promise).toMatch(/altnames|Host: 127\.0\.0\.1|IP/i);
    setDefaultCACertificates(trusted);
    const other = new OriginPool({ origin: `https://localhost:${portOf(server)}`, private: true }, systemClock);
    expect(await (await post(other)).over.promise).toMatch(/self-signed/);
    setDefaultCACertificates([...trusted, certificate]);
    expect(requests).toBe(0);
    await vi.waitFor(() => expect([pool.size, other.size]).toEqual([0, 0]));
  });
});

describe("a handler that takes no more", () => {
  it("is sent no more than what was read already, until it goes on", async () => {
    const size = 32 * 1024 * 1024;
    const server = createHttpServer((_message, response) => response.end(Buffer.alloc(size, "x")));
    const pool = await poolTo(server, plain);
    const call: Call = new Call(() => call.control?.pause());
    const done = post(pool, "{}", call);
    await vi.waitFor(() => expect(call.bytes).toBeGreaterThan(0));
    for (let i = 0; i < 200; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(call.bytes).toBeLessThanOrEqual(64 * 1024);
    call.control?.resume();
    await done;
    expect(call.bytes).toBe(size);
    await vi.waitFor(() => expect(pool.idle).toBe(1));
  });

  it("does not leave its connection stopped for the next call", async () => {
    const pool = await poolTo(createHttpServer(echo), plain);
    const call: Call = new Call(() => call.control?.pause());
    expect(await (await post(pool, "one", call)).over.promise).toBe("whole");
    expect(await post(pool, "two")).toMatchObject({ text: "two", reused: true });
  });
});

describe("what has come already is no answer to what is asked next", () => {
  const answer = (body: string): string => `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  const smuggled = answer("SMUGGLED");

  /** Answers what it was not asked, right behind the first answer, and answers truly from then on. */
  function answersTwice(first: string): (socket: Socket) => void {
    let asked = 0;
    return (socket) => {
      socket.on("error", () => undefined);
      socket.on("data", () => {
        asked += 1;
        socket.write(asked === 1 ? first : answer("true"));
        if (asked === 1) socket.write(smuggled);
      });
    };
  }

  /** The next request, sent the moment the first answer is whole. */
  async function askedAtOnce(pool: OriginPool): Promise<Call> {
    const [next, sent] = [new Call(), Promise.withResolvers<void>()];
    const first: Call = new (class extends Call {
      override onResponseEnd(): void {
        pool.dispatch({ method: "POST", path: "/", headers: [], body: Buffer.from("{}") }, next);
        sent.resolve();
      }
    })();
    pool.dispatch({ method: "POST", path: "/", headers: [], body: Buffer.from("{}") }, first);
    await sent.promise;
    await next.over.promise;
    return next;
  }

  it("over TLS, where it may come in records of its own", async () => {
    const pem = { key, cert: certificate };
    const pool = await poolTo(
      createPlainTlsServer(pem, answersTwice(answer("first"))),
      (port) => `https://localhost:${port}`,
    );
    expect(await askedAtOnce(pool)).toMatchObject({ text: "true", reused: false });
  });

  it("where the first answer just fills what is read at once", async () => {
    const head = "HTTP/1.1 200 OK\r\ncontent-length: 65000\r\nx-pad: \r\n\r\n";
    const padding = "p".repeat(64 * 1024 - 65_000 - head.length);
    const first = head.replace("x-pad: ", `x-pad: ${padding}`) + "x".repeat(65_000);
    const pool = await poolTo(createTcpServer(answersTwice(first)), plain);
    expect(await askedAtOnce(pool)).toMatchObject({ text: "true" });
  });
});

it("who still holds a call that is over can do nothing to the next one on its connection", async () => {
  const size = 8 * 1024 * 1024;
  const server = createHttpServer((message, response) =>
    response.end(Buffer.alloc(message.url === "/big" ? size : 2, "x")),
  );
  const pool = await poolTo(server, plain);
  const first = await post(pool);
  const second: Call = new Call(() => second.control?.pause());
  pool.dispatch({ method: "POST", path: "/big", headers: [], body: Buffer.from("{}") }, second);
  await vi.waitFor(() => expect(second.bytes).toBeGreaterThan(0));
  expect(second.reused).toBe(true);
  const had = second.bytes;
  first.control?.resume();
  first.control?.abort(new Error("too late"));
  for (let i = 0; i < 100; i++) await new Promise((resolve) => setImmediate(resolve));
  expect(second.bytes).toBe(had);
  second.control?.resume();
  expect(await second.over.promise).toBe("whole");
  expect(second.bytes).toBe(size);
});

/** It is given up when it could be sent. */
function droppedCall(): Call {
  return new (class extends Call {
    override onRequestStart(control: CallControl): void {
      control.abort(new Error("given up"));
    }
  })();
}

it("a call that is given up as it begins is never sent, and leaves its connection to the next one", async () => {
  const heard: string[] = [];
  const server = createHttpServer((message, response) => {
    void text(message).then((body) => heard.push(body));
    response.end("ok");
  });
  const clock = new FakeClock();
  const pool = await poolTo(server, plain, clock);
  await post(pool, "first");
  const dropped = droppedCall();
  await post(pool, "dropped", dropped);
  expect(await post(pool, "next")).toMatchObject({ text: "ok", reused: true });
  expect(await dropped.over.promise).toBe("given up");
  await vi.waitFor(() => expect(heard).toEqual(["first", "next"]));
  expect(pool.size).toBe(1);
  // Its server has heard nothing meanwhile, so that it is kept no longer than it was.
  clock.advance(29_999);
  await post(pool, "dropped", droppedCall());
  clock.advance(1);
  expect(await post(pool, "last")).toMatchObject({ text: "ok", reused: false });
});

describe("a connection is not used again", () => {
  it("when the answer came before the request was out", async () => {
    const server = createTcpServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => socket.pause().write("HTTP/1.1 413 Payload Too Large\r\ncontent-length: 0\r\n\r\n"));
    });
    const pool = await poolTo(server, plain);
    const call = await post(pool, "x".repeat(30_000_000));
    expect(call.status).toBe(413);
    await vi.waitFor(() => expect(pool.size).toBe(0));
  });

  it("when something came over it that nobody had asked for", async () => {
    const answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    const server = createTcpServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => {
        socket.write(answer);
        setImmediate(() => socket.write(answer));
      });
    });
    const pool = await poolTo(server, plain);
    expect(await post(pool)).toMatchObject({ text: "ok" });
    await vi.waitFor(() => expect(pool.size).toBe(0));
  });

  it("when the server takes its leave of it before the next call was sent, and that call is told that it was not sent", async () => {
    const heard: string[] = [];
    const sockets: Socket[] = [];
    const server = createTcpServer((socket) => {
      sockets.push(socket);
      socket.on("error", () => undefined);
      socket.on("data", (bytes) => {
        heard.push(bytes.toString());
        socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
      });
    });
    const pool = await poolTo(server, plain);
    await post(pool, "first");
    // After the sockets of a turn were looked at: what is written now is seen in the next turn, before anything is sent.
    await new Promise((resolve) => setImmediate(resolve));
    sockets[0]?.write("HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    // Until it has surely come.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    const call = await post(pool, "second");
    expect(call).toMatchObject({ status: 0, control: null, code: "TULOY_UNSENT" });
    expect(await call.over.promise).toContain("nobody had asked for");
    await vi.waitFor(() => expect(pool.size).toBe(0));
    expect(heard).toEqual([expect.stringContaining("first")]);
  });

  it("when what came is not HTTP, and the call is told so", async () => {
    const server = createTcpServer((socket) => void socket.end("220 mail.example ESMTP\r\n\r\n"));
    const pool = await poolTo(server, plain);
    expect(await (await post(pool)).over.promise).toContain('not HTTP: it begins with "220 mail.example ESMTP"');
    await vi.waitFor(() => expect(pool.size).toBe(0));
  });

  it.each([
    ["for longer than it is kept", null, 30_000],
    ["for nearly as long as the server keeps it", "timeout=7, max=100", 5000],
    ["and is never idle long enough where the server keeps none", "timeout=1", 0],
  ])("when it was idle %s", async (_when, hint, ms) => {
    const server = createHttpServer((_message, response) => {
      if (hint !== null) response.setHeader("keep-alive", hint);
      response.shouldKeepAlive = true;
      response.end("ok");
    });
    server.keepAliveTimeout = 0;
    const clock = new FakeClock();
    const pool = await poolTo(server, plain, clock);
    await post(pool);
    clock.advance(Math.max(0, ms - 1));
    expect((await post(pool)).reused).toBe(ms > 0);
    clock.advance(ms);
    expect((await post(pool)).reused).toBe(false);
    clock.advance(60_000);
    pool.sweep();
    await vi.waitFor(() => expect(pool.size).toBe(0));
    expect(clock.pending).toBe(0);
  });
});

it("a call is told when no connection comes about in a minute", async () => {
  // A server whose queue is full does not answer a handshake; one that never accepts TLS does not finish it.
  const server = createTcpServer(() => undefined);
  const clock = new FakeClock();
  const pool = await poolTo(server, (port) => `https://localhost:${port}`, clock);
  const call = new Call();
  pool.dispatch({ method: "POST", path: "/", headers: [], body: Buffer.from("{}") }, call);
  const accepted = once(server, "connection");
  await accepted;
  clock.advance(60_000);
  expect(await call.over.promise).toBe("no connection came about");
  await vi.waitFor(() => expect(pool.size).toBe(0));
});

it("a name with several addresses, none of which answers, is told by what the first said", async () => {
  const server = createTcpServer();
  server.listen(0, "localhost");
  await once(server, "listening");
  const port = portOf(server);
  server.close();
  await once(server, "close");
  const pool = new OriginPool({ origin: `http://localhost:${port}`, private: true }, systemClock);
  expect(await (await post(pool)).over.promise).toContain("ECONNREFUSED");
});
