import { createServer } from "node:http";
import type { ServerResponse } from "node:http";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";

import { eventually, FakeClock, readChatStream } from "@tuloy/testkit";
import { expect, test } from "vitest";

import { readChatAsk } from "./ask.ts";
import { answerChat } from "./chat-answer.ts";
import { Exchange } from "./exchange.ts";
import { PacedStream } from "./paced-stream.ts";

test("a reader that does not keep up stops the writing until it does, and then gets all of it", async () => {
  const asked = readChatAsk({ model: "m", messages: [{ role: "user", content: "much" }], stream: true });
  if (!asked.ok) throw new Error(asked.error.message);
  const answer = answerChat(asked.ask, "chatcmpl-1", 0, { length: 100_000 });
  const clock = new FakeClock();
  let response: ServerResponse | null = null;
  const server = createServer((_, outgoing) => {
    response = outgoing;
    const exchange = new Exchange(outgoing, clock, () => undefined);
    new PacedStream(exchange, answer, { firstTokenMs: 0, tokenMs: 0 }, null).start();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  socket.pause();
  socket.write("POST / HTTP/1.0\r\n\r\n");
  const outgoing = await eventually((): ServerResponse | null => response);
  await eventually(() => clock.pending === 1);
  clock.advance(0);
  // About 15 MB are due at once; the kernel takes some, and of the rest only the last write waits in memory.
  await eventually(() => outgoing.writableNeedDrain);
  expect(outgoing.writableEnded).toBe(false);
  expect(outgoing.writableLength).toBeLessThan(256 * 1024);

  const pieces: Buffer[] = [];
  socket.on("data", (bytes: Buffer) => pieces.push(bytes));
  socket.resume();
  await new Promise((resolve) => socket.once("close", resolve));
  const wire = Buffer.concat(pieces);
  const body = wire.subarray(wire.indexOf("\r\n\r\n") + 4);
  const read = readChatStream(body);
  expect(read.text).toBe(answer.pieces.join(""));
  expect(read.terminators).toBe(1);
  server.close();
});

test("tokens that fall due between two looks at the clock are written together", async () => {
  const asked = readChatAsk({
    model: "m",
    messages: [{ role: "user", content: "fast" }],
    stream: true,
    max_tokens: 40,
  });
  if (!asked.ok) throw new Error(asked.error.message);
  const answer = answerChat(asked.ask, "chatcmpl-1", 0);
  const clock = new FakeClock();
  let ticks = 0;
  const counting = {
    now: () => clock.now(),
    wall: () => clock.wall(),
    after: (ms: number, run: () => void) => clock.after(ms, () => (ticks++, run())),
  };
  const server = createServer((_, outgoing) => {
    const exchange = new Exchange(outgoing, counting, () => undefined);
    new PacedStream(exchange, answer, { firstTokenMs: 0, tokenMs: 0.1 }, null).start();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const response = fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await eventually(() => clock.pending === 1);
  await clock.pass(4);
  expect(readChatStream(await (await response).bytes()).text).toBe(answer.pieces.join(""));
  // The first token, and all others together 4 ms later.
  expect(ticks).toBe(2);
  server.close();
});
