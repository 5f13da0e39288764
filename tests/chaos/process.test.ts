import { createHash } from "node:crypto";
import { Agent, request } from "node:http";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { answersChat, chatChunks, collect, readChatStream, runLoad } from "@tuloy/testkit";
import type { Collected } from "@tuloy/testkit";
import OpenAI from "openai";
import { describe, expect, onTestFinished, test } from "vitest";

import { GatewayProcess } from "../command.ts";
import { apiKey, model } from "../harness.ts";
import { headers, setProcess, soon, streaming, tracesIn, whole } from "../process-scene.ts";
import { openWire, rawRequest } from "../wire.ts";

function askStream(url: string, more: Parameters<typeof collect>[1] = {}): Promise<Collected> {
  return collect(`${url}/v1/chat/completions`, { headers, body: streaming, timeoutMs: 20_000, ...more });
}

/** Waits until a number that grows has stopped growing for half a second. */
async function atRest(number: () => number): Promise<number> {
  let last = -1;
  let since = performance.now();
  return soon(() => {
    if (number() !== last) {
      last = number();
      since = performance.now();
    }
    return performance.now() - since > 500 ? last : undefined;
  }, "coming to rest");
}

describe.runIf(process.platform === "linux")("a reader that is slow", () => {
  test(
    "holds its stream of 100 MB back at the provider, not in the gateway's memory",
    { timeout: 60_000 },
    async () => {
      const chunkBytes = 64 * 1024;
      const chunks = 1600;
      const [role = "", content = "", finish = "", done = ""] = chatChunks(["x".repeat(chunkBytes)]);
      /** Of the second stream. */
      let sent = 0;
      const { gateway, url } = await setProcess(async (reply, { index: stream }) => {
        reply.eventStream().chunk(role);
        for (let index = 0; index < chunks; index++) {
          reply.chunk(content);
          await reply.done;
          if (stream === 1) sent += content.length;
        }
        reply.chunk(finish).chunk(done).end();
      });
      const idle = gateway.openSockets();
      // Once through, so that what the process needs for any stream is already in its memory.
      await collect(`${url}/v1/chat/completions`, {
        headers,
        body: streaming,
        onData: (_, soFar) => soFar < 20_000_000,
      });
      await soon(() => gateway.openSockets() <= idle, "the end of the first stream");
      const before = gateway.residentBytes();

      const answer = await open(url);
      const hash = createHash("sha256");
      let bytes = 0;
      let pieces = 0;
      let peak = 0;
      answer.on("data", (piece: Buffer) => {
        hash.update(piece);
        bytes += piece.length;
        // One look in a hundred: reading /proc takes as long as reading the piece.
        if (pieces++ % 100 === 0) peak = Math.max(peak, gateway.residentBytes());
        if (pieces === 1) answer.pause();
      });
      const heldAt = await atRest(() => sent);
      // What the sockets' own buffers take, on both sides of the gateway.
      expect(heldAt).toBeLessThan(30_000_000);
      expect(gateway.residentBytes() - before).toBeLessThan(40_000_000);
      answer.resume();
      await new Promise((resolve) => void answer.once("end", resolve));
      const expected = createHash("sha256").update(role);
      for (let index = 0; index < chunks; index++) expected.update(content);
      expected.update(finish).update(done);
      expect(bytes).toBeGreaterThan(100_000_000);
      expect(hash.digest("hex")).toBe(expected.digest("hex"));
      expect(peak - before).toBeLessThan(80_000_000);
    },
  );

  async function open(url: string): Promise<IncomingMessage> {
    const asking = request(`${url}/v1/chat/completions`, { method: "POST", headers, agent: false });
    asking.end(streaming);
    return new Promise((resolve, reject) => {
      asking.once("response", resolve);
      asking.once("error", reject);
    });
  }
});

describe.runIf(process.platform === "linux")("clients that leave badly", () => {
  test("leave no socket, no upstream call and nothing in flight behind", { timeout: 30_000 }, async () => {
    const { upstream, gateway, url } = await setProcess(
      (reply, received) => {
        if (!received.body.includes("stream"))
          return reply.json(200, { choices: [{ message: { content: "still here" } }] });
        return reply.eventStream().chunk(chatChunks(["begun"]).slice(0, 2).join(""));
      },
      { grace: "60" },
    );
    await collect(`${url}/v1/chat/completions`, { headers, body: whole });
    await soon(() => gateway.openSockets(), "sockets");
    const idle = gateway.openSockets();

    const wires = await Promise.all(Array.from({ length: 60 }, () => openWire(url)));
    for (const wire of wires) wire.send(rawRequest({ body: streaming }));
    // A third leaves before the first token, as far as the machine's speed allows.
    await Promise.all(wires.filter((_, index) => index % 3 !== 0).map((wire) => wire.until("begun")));
    for (const [index, wire] of wires.entries()) {
      if (index % 4 === 0) wire.socket.resetAndDestroy();
      else if (index % 4 === 1) wire.socket.end();
      else if (index % 4 === 2) wire.send("\x16\x03\x01 no request\r\n\r\n");
      else wire.socket.destroy();
    }
    // And some that never were a request: half a head, half a body, nothing.
    const halves = await Promise.all(Array.from({ length: 12 }, () => openWire(url)));
    for (const [index, wire] of halves.entries()) {
      if (index % 3 === 0) wire.send(rawRequest().slice(0, 40));
      if (index % 3 === 1) wire.send(rawRequest({ body: streaming }).slice(0, -10));
      if (index % 2 === 0) wire.socket.resetAndDestroy();
      else wire.socket.end();
    }

    await soon(
      () =>
        upstream.requests
          .filter((received) => received.body.includes("stream"))
          .every(({ closed }) => closed?.by === "peer"),
      "the end of all upstream calls",
    );
    await soon(() => gateway.openSockets() <= idle, "as many sockets as before");
    const { status } = await collect(`${url}/v1/chat/completions`, { headers, body: whole });
    expect(status).toBe(200);
    // Were one of them still counted, the shutdown would wait for it: a minute.
    gateway.signal("SIGTERM");
    expect(await gateway.finished(10_000)).toMatchObject({ code: 0 });
    expect(gateway.stdout + gateway.stderr).not.toMatch(/internal_error|Error:/);
  });
});

describe("SIGTERM", () => {
  test("with fifty streams: those that can finish do, the others get an error event, and the exit code is 0", async () => {
    const { promise: goOn, resolve: finish } = Promise.withResolvers<void>();
    const [role = "", first = "", second = "", ...rest] = chatChunks(["one ", "two"], { usage: [1, 2] });
    let asked = 0;
    const { upstream, gateway, url, directory } = await setProcess(
      (reply) => {
        const finishes = asked++ % 2 === 0;
        reply.eventStream().chunk(role).chunk(first);
        if (finishes) reply.wait(goOn).chunk(second).chunk(rest.join("")).end();
      },
      { grace: "2" },
    );
    const begun = new Set<number>();
    const answers = Array.from({ length: 50 }, (_, index) => askStream(url, { onData: () => void begun.add(index) }));
    await soon(() => upstream.requests.length === 50 && begun.size === 50, "fifty streams");
    gateway.signal("SIGTERM");
    await gateway.until(() => gateway.stderr.includes("SIGTERM") || null, "word of the signal");
    await soon(async () => (await collect(`${url}/healthz`)).error?.includes("ECONNREFUSED"), "no new connections");
    expect(gateway.running).toBe(true);
    finish();

    const streams = (await Promise.all(answers)).map((answer) => ({ answer, stream: readChatStream(answer.body) }));
    expect(streams.every(({ answer }) => answer.ended === "clean")).toBe(true);
    const finished = streams.filter(({ stream }) => stream.terminators === 1);
    const broken = streams.filter(({ stream }) => stream.terminators === 0);
    expect(finished).toHaveLength(25);
    for (const { stream } of finished) {
      expect(stream).toMatchObject({ text: "one two", errors: [], finishReasons: ["stop"], remainder: "" });
    }
    expect(broken).toHaveLength(25);
    for (const { stream } of broken) {
      expect(stream).toMatchObject({ text: "one ", errors: [{ code: "shutting_down" }], remainder: "" });
    }
    expect(await gateway.finished(10_000)).toMatchObject({ code: 0, signal: null });
    // What was under way to the last moment is on record.
    const outcomes = (await tracesIn(directory)).map(({ outcome }) => outcome);
    expect(outcomes).toHaveLength(50);
    expect(outcomes.filter((outcome) => outcome === "succeeded")).toHaveLength(25);
    expect(outcomes.filter((outcome) => outcome === "broken")).toHaveLength(25);
  });

  test("under load on kept connections: every answer that began is whole, and it does not wait for the clients to tire", async () => {
    const { upstream, gateway, url, directory } = await setProcess(answersChat("hello there"), { grace: "60" });
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    onTestFinished(() => agent.destroy());
    const results: string[] = [];
    const client = async (): Promise<void> => {
      // Until nobody listens any more.
      while (results.at(-1) !== "ECONNREFUSED") results.push(await askKept(url, agent));
    };
    const clients = Array.from({ length: 8 }, client);
    await soon(() => results.length > 50, "some load");
    gateway.signal("SIGTERM");
    const { code } = await gateway.finished(15_000);
    await Promise.all(clients);
    expect(code).toBe(0);
    const counts = Object.fromEntries(
      Map.groupBy(results, (result) => result)
        .entries()
        .map(([name, all]) => [name, all.length]),
    );
    // A connection may be closed while the first byte of a request is on its way to it, once for each client; nothing
    // else may happen to a request.
    const unheard = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE"]);
    expect(Object.keys(counts).filter((name) => name !== "200 whole" && !unheard.has(name))).toEqual([]);
    expect(counts["200 whole"]).toBeGreaterThan(50);
    expect((counts["ECONNRESET"] ?? 0) + (counts["EPIPE"] ?? 0)).toBeLessThanOrEqual(16);
    const answered = counts["200 whole"] ?? 0;
    expect((await tracesIn(directory)).length).toBeGreaterThanOrEqual(answered);
    expect(upstream.requests.length).toBeGreaterThanOrEqual(answered);
  });

  test("twice means at once", async () => {
    const { upstream, gateway, url } = await setProcess(
      (reply) => void reply.eventStream().chunk(chatChunks(["begun"]).slice(0, 2).join("")),
      { grace: "60" },
    );
    const answer = askStream(url);
    await upstream.received(0);
    gateway.signal("SIGTERM");
    await gateway.until(() => gateway.stderr.includes("SIGTERM") || null, "word of the signal");
    gateway.signal("SIGTERM");
    expect(await gateway.finished(5_000)).toMatchObject({ code: 130 });
    expect((await answer).ended).not.toBe("timeout");
  });
});

/** One request on a kept connection, and what came of it. */
function askKept(url: string, agent: Agent): Promise<string> {
  return new Promise((resolve) => {
    const asking = request(`${url}/v1/chat/completions`, { method: "POST", headers, agent });
    asking.once("response", (answer) => {
      let text = "";
      answer.on("data", (bytes: Buffer) => (text += bytes.toString()));
      answer.once("error", () => resolve("cut in the middle"));
      answer.once("end", () => resolve(`${answer.statusCode} ${text.includes("hello there") ? "whole" : text}`));
    });
    asking.once("error", (error) => resolve("code" in error ? String(error.code) : error.message));
    asking.end(whole);
  });
}

test(
  "kill -9 under load: it starts again on the same data directory, and what was on record still is",
  { timeout: 60_000 },
  async () => {
    const { gateway, url, directory, upstream } = await setProcess(answersChat("hello there"));
    let stop = false;
    const load = runLoad({
      jobs: 100_000,
      concurrency: 10,
      job: async () => {
        if (stop) return "stopped";
        const answer = await collect(`${url}/v1/chat/completions`, { headers, body: whole });
        return answer.ended;
      },
    });
    const onRecord = await soon(async () => {
      const rows = await tracesIn(directory).catch(() => []);
      return rows.length >= 100 ? rows : undefined;
    }, "a hundred traces on record");
    gateway.signal("SIGKILL");
    expect(await gateway.finished()).toMatchObject({ signal: "SIGKILL" });
    stop = true;
    await load;

    const again = new GatewayProcess(["start", "--port", "0"], { directory });
    const address = await again.listening();
    const client = new OpenAI({ baseURL: `${address}/v1`, apiKey, maxRetries: 0 });
    const before = upstream.requests.length;
    const completion = await client.chat.completions.create({ model, messages: [{ role: "user", content: "Hi" }] });
    expect(completion.choices[0]?.message.content).toBe("hello there");
    expect(upstream.requests.length).toBe(before + 1);
    again.signal("SIGTERM");
    expect(await again.finished()).toMatchObject({ code: 0, stderr: expect.not.stringContaining("Error") });

    const kept = await tracesIn(directory);
    const ids = new Set(kept.map(({ id }) => id));
    expect(onRecord.filter(({ id }) => !ids.has(id))).toEqual([]);
    expect(kept[0]).toMatchObject({ outcome: "succeeded", provider: "a" });
    const database = new DatabaseSync(join(directory, ".tuloy", "tuloy.db"), { readOnly: true });
    expect(database.prepare("pragma integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
    database.close();
  },
);
