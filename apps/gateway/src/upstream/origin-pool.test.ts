import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";

import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";

import { systemClock } from "../clock.ts";
import { OriginPool } from "./origin-pool.ts";
import type { CallControl, CallHandler } from "./outlet.ts";

/** What the server does with a request. */
type Treatment = "answer" | "close" | "late" | "cut" | "reset" | "hang";

const answer = (connection: string): string =>
  `HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: ${connection}\r\n\r\ngood`;

/** A server that treats each request as its path says, and knows what its connections went through. */
class ScriptedServer {
  readonly server: Server;
  readonly sockets = new Set<Socket>();
  accepted = 0;
  /** A request came over a connection whose last one was not answered yet. */
  overlapped = false;

  constructor() {
    this.server = createServer((socket) => {
      this.accepted += 1;
      this.sockets.add(socket);
      socket.on("close", () => this.sockets.delete(socket));
      socket.on("error", () => undefined);
      let answering = false;
      socket.on("data", (bytes) => {
        for (const [, path] of bytes.toString("latin1").matchAll(/POST \/(\w+) /g)) {
          if (answering) this.overlapped = true;
          answering = true;
          this.#treat(path as Treatment, socket, () => (answering = false));
        }
      });
    });
  }

  #treat(treatment: Treatment, socket: Socket, answered: () => void): void {
    if (treatment === "answer" || treatment === "close") {
      answered();
      socket.write(answer(treatment === "answer" ? "keep-alive" : "close"));
      if (treatment === "close") socket.end();
    } else if (treatment === "late") {
      setImmediate(() => {
        answered();
        socket.write(answer("keep-alive"));
      });
    } else if (treatment === "cut") {
      socket.end("HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\ngo");
    } else if (treatment === "reset") {
      socket.resetAndDestroy();
    }
  }

  get origin(): string {
    const address = this.server.address();
    if (address === null || typeof address === "string") throw new Error("not listening");
    return `http://127.0.0.1:${address.port}`;
  }
}

/** One request and what its handler was told. */
class Probe implements CallHandler {
  readonly ended = Promise.withResolvers<string>();
  #control: CallControl | null = null;
  reused = false;
  ends = 0;
  cancelled = false;
  readonly #cancelAt: "start" | "head" | null;

  constructor(cancelAt: "start" | "head" | null = null) {
    this.#cancelAt = cancelAt;
  }

  drilledBy(): void {}

  cancel(): void {
    this.cancelled = true;
    this.#control?.abort(new Error("cancelled"));
  }

  onRequestStart(control: CallControl, reused: boolean): void {
    this.#control = control;
    this.reused = reused;
    if (this.cancelled || this.#cancelAt === "start") this.cancel();
  }

  onResponseStart(): void {
    if (this.#cancelAt === "head") this.cancel();
  }

  onResponseData(): void {}

  onResponseEnd(): void {
    this.#end("whole");
  }

  onResponseError(error: Error): void {
    this.#end(error.message);
  }

  #end(how: string): void {
    this.ends += 1;
    this.ended.resolve(how);
  }
}

const running: { readonly pool: OriginPool; readonly server: ScriptedServer }[] = [];

async function start(): Promise<{ readonly pool: OriginPool; readonly server: ScriptedServer }> {
  const server = new ScriptedServer();
  server.server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  const made = { server, pool: new OriginPool({ origin: server.origin, private: true }, systemClock) };
  running.push(made);
  return made;
}

function send(pool: OriginPool, treatment: Treatment, probe = new Probe(), headers: string[] = []): Probe {
  pool.dispatch({ path: `/${treatment}`, method: "POST", headers, body: Buffer.from("{}") }, probe);
  return probe;
}

/** Sockets take their time on a busy machine. */
async function eventually(holds: () => void): Promise<void> {
  await vi.waitFor(holds, { timeout: 10_000, interval: 2 });
}

/** Waits until the pool knows exactly the connections that the server has. */
async function settled(pool: OriginPool, server: ScriptedServer): Promise<void> {
  await eventually(() => expect(pool.size).toBe(server.sockets.size));
}

afterEach(async () => {
  for (const { pool, server } of running.splice(0)) {
    pool.destroy();
    for (const socket of server.sockets) socket.destroy();
    server.server.close();
  }
});

describe("the connections to one origin", () => {
  it("are used again, one after the other over the same", async () => {
    const { pool, server } = await start();
    for (let i = 0; i < 5; i++) {
      const probe = send(pool, "answer");
      expect(await probe.ended.promise).toBe("whole");
      expect(probe.reused).toBe(i > 0);
      await eventually(() => expect(pool.idle).toBe(1));
    }
    expect(server.accepted).toBe(1);
  });

  it("are as many as there are requests at once, and carry one each", async () => {
    const { pool, server } = await start();
    const probes = Array.from({ length: 20 }, () => send(pool, "late"));
    expect(pool.size).toBe(20);
    await Promise.all(probes.map(({ ended }) => ended.promise));
    await eventually(() => expect(pool.idle).toBe(20));
    await Promise.all(Array.from({ length: 20 }, () => send(pool, "late").ended.promise));
    expect(server.accepted).toBe(20);
    expect(server.overlapped).toBe(false);
  });

  it("are forgotten when the server closes them while they are idle", async () => {
    const { pool, server } = await start();
    await Promise.all(Array.from({ length: 5 }, () => send(pool, "late").ended.promise));
    await eventually(() => expect(pool.idle).toBe(5));
    const [first, second] = server.sockets;
    first?.destroy();
    second?.destroy();
    await eventually(() => expect(pool.size).toBe(3));
    await Promise.all(Array.from({ length: 3 }, () => send(pool, "late").ended.promise));
    expect(server.accepted).toBe(5);
  });

  it("are not lost to a request that HTTP does not allow", async () => {
    const { pool } = await start();
    await send(pool, "answer").ended.promise;
    await eventually(() => expect(pool.idle).toBe(1));
    for (let i = 0; i < 3; i++) {
      expect(await send(pool, "answer", new Probe(), ["x-bad", "a\r\nb"]).ended.promise).toContain("header");
    }
    expect([pool.size, pool.idle]).toEqual([1, 1]);
    expect(await send(pool, "answer").ended.promise).toBe("whole");
  });

  it("are not kept where none came about", async () => {
    const { pool, server } = await start();
    server.server.close();
    expect(await send(pool, "answer").ended.promise).toContain("ECONNREFUSED");
    await eventually(() => expect(pool.size).toBe(0));
  });

  it("are made anew for a request that asks for a fresh one, and closed after it", async () => {
    const { pool, server } = await start();
    await send(pool, "answer").ended.promise;
    const probe = new Probe();
    pool.dispatchFresh({ path: "/answer", method: "POST", headers: [], body: Buffer.from("{}") }, probe);
    expect(await probe.ended.promise).toBe("whole");
    expect(probe.reused).toBe(false);
    expect(server.accepted).toBe(2);
    await eventually(() => expect(server.sockets.size).toBe(1));
    expect(pool.size).toBe(1);
  });

  it("break when the pool is destroyed, and none is made after that", async () => {
    const { pool, server } = await start();
    await send(pool, "answer").ended.promise;
    await eventually(() => expect(pool.idle).toBe(1));
    const hanging = [send(pool, "hang"), send(pool, "hang")];
    await eventually(() => expect(server.sockets.size).toBe(2));
    pool.destroy();
    expect(await Promise.all(hanging.map(({ ended }) => ended.promise))).toEqual([
      expect.stringContaining("destroyed"),
      expect.stringContaining("destroyed"),
    ]);
    expect(await send(pool, "answer").ended.promise).toContain("destroyed");
    await eventually(() => expect(server.sockets.size).toBe(0));
  });

  it("are neither shared nor lost, whatever servers do and whenever a call is cancelled", async () => {
    const step = fc.record({
      treatment: fc.constantFrom<Treatment>("answer", "answer", "late", "close", "cut", "reset", "hang"),
      cancel: fc.constantFrom("never", "never", "at once", "start", "head", "soon"),
      pause: fc.nat(3),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (steps) => {
        const { pool, server } = await start();
        const probes: Probe[] = [];
        for (const { treatment, cancel, pause } of steps) {
          const probe = new Probe(cancel === "start" || cancel === "head" ? cancel : null);
          probes.push(send(pool, treatment, probe));
          if (cancel === "at once") probe.cancel();
          for (let i = 0; i < pause; i++) await new Promise((resolve) => setImmediate(resolve));
          if (cancel === "soon") probe.cancel();
        }
        // What nobody answers is given up in the end, as by a time-out.
        for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
        for (const probe of probes) if (probe.ends === 0) probe.cancel();
        await Promise.all(probes.map(({ ended }) => ended.promise));
        expect(probes.every(({ ends }) => ends === 1)).toBe(true);
        expect(server.overlapped).toBe(false);
        await settled(pool, server);
        await eventually(() => expect(pool.idle).toBe(pool.size));
        expect(await send(pool, "answer").ended.promise).toBe("whole");
      }),
      { numRuns: 40 },
    );
  });
});
