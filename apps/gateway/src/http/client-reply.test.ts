import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";

import { eventually } from "@tuloy/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { InFlight } from "../relay/in-flight.ts";
import { Interrupt } from "../relay/interrupt.ts";
import { ClientReply } from "./client-reply.ts";

describe("a reply", () => {
  it("has in it what was written and ended with in one turn, in that order, and nothing that came after its end", async () => {
    const server = createServer((_, response) => {
      const reply = new ClientReply(response, new InFlight());
      reply.start(200, {});
      reply.write(Buffer.from("one "));
      reply.write(Buffer.from("two "));
      reply.end(Buffer.from("three"));
      reply.write(Buffer.from(" four"));
      reply.end(Buffer.from(" five"));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    expect(await answer.text()).toBe("one two three");
    server.close();
    server.closeAllConnections();
  });
});

describe("a reply to a client that reads nothing", () => {
  let server: Server;
  let client: Socket;
  let reply: ClientReply;
  let inFlight: InFlight;
  /** A megabyte: a few of them fill every buffer on the way. */
  const megabyte = Buffer.alloc(1024 * 1024, "x");

  beforeEach(async () => {
    server = createServer();
    inFlight = new InFlight();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const asked = new Promise<ClientReply>((resolve) => {
      server.once("request", (_, response) => resolve(new ClientReply(response, inFlight)));
    });
    client = connect((server.address() as AddressInfo).port, "127.0.0.1");
    client.on("error", () => {});
    client.pause();
    client.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    reply = await asked;
    reply.start(200, {});
  });

  afterEach(() => {
    client.destroy();
    server.close();
    server.closeAllConnections();
  });

  /** Writes until the client's slowness is felt. @returns how many times it was told that there is room again */
  function fill(): { told: number } {
    const drained = { told: 0 };
    for (let written = 0; reply.write(megabyte); written++) if (written > 100) throw new Error("it takes everything");
    reply.onDrain(() => (drained.told += 1));
    return drained;
  }

  it("is waited for by a shutdown, which does not cut it off", async () => {
    const size = 8 * megabyte.length;
    reply.end(Buffer.alloc(size, "x"));
    await new Promise((resolve) => setImmediate(resolve));
    let drained = false;
    void inFlight.drained().then(() => (drained = true));
    server.close();
    let received = 0;
    client.on("data", (bytes: Buffer) => (received += bytes.length));
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(drained).toBe(false);
    client.resume();
    await eventually(() => drained);
    server.closeIdleConnections();
    await once(client, "close");
    expect(received).toBeGreaterThan(size);
  });

  it("is waited for by a shutdown that began before it, though its request is over first", async () => {
    const size = 8 * megabyte.length;
    const interrupt = new Interrupt();
    inFlight.add(interrupt);
    let drained = false;
    void inFlight.drained().then(() => (drained = true));
    reply.end(Buffer.alloc(size, "x"));
    inFlight.delete(interrupt);
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(drained).toBe(false);
    client.resume();
    await eventually(() => drained);
    expect(drained).toBe(true);
  });

  it("that is nearly taken is waited for too", async () => {
    fill();
    reply.end(Buffer.from("the end"));
    await new Promise((resolve) => setImmediate(resolve));
    server.close();
    let tail = "";
    client.on("data", (bytes: Buffer) => (tail = (tail + bytes.toString("latin1")).slice(-100)));
    client.resume();
    await inFlight.drained();
    server.closeIdleConnections();
    await once(client, "close");
    expect(tail).toMatch(/the end\r\n0\r\n\r\n$/);
  });

  it("is waited for while it is being kept", async () => {
    const kept = Promise.withResolvers<boolean>();
    reply.keepWith({ begin() {}, take() {}, keep: () => kept.promise });
    reply.complete(Buffer.from("the end"));
    let drained = false;
    void inFlight.drained().then(() => (drained = true));
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(drained).toBe(false);
    kept.resolve(true);
    await eventually(() => drained);
    let heard = "";
    client.on("data", (bytes: Buffer) => (heard += bytes.toString("latin1")));
    client.resume();
    await eventually(() => heard.endsWith("0\r\n\r\n"));
    expect(heard).toContain("the end");
  });

  it("lets a shutdown go on when its client leaves", async () => {
    reply.end(Buffer.alloc(8 * megabyte.length, "x"));
    await new Promise((resolve) => setImmediate(resolve));
    let drained = false;
    void inFlight.drained().then(() => (drained = true));
    client.resetAndDestroy();
    await eventually(() => drained);
    expect(drained).toBe(true);
  });

  it("tells once when there is room again", async () => {
    const drained = fill();
    client.resume();
    await eventually(() => drained.told > 0);
    client.destroy();
    let gone = false;
    reply.onGone(() => (gone = true));
    await eventually(() => gone);
    expect(drained.told).toBe(1);
  });

  it("tells once that there is room when it leaves, since what must go on without it would wait for ever", async () => {
    const drained = fill();
    let gone = 0;
    reply.onGone(() => (gone += 1));
    client.resetAndDestroy();
    await eventually(() => drained.told > 0);
    expect(gone).toBe(1);
    // Who asks later is told at once.
    reply.onGone(() => (gone += 1));
    expect(gone).toBe(2);
    expect(reply.write(megabyte)).toBe(true);
    expect(drained.told).toBe(1);
  });
});
