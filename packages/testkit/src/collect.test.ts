import { expect, test } from "vitest";

import { collect } from "./collect.ts";
import { eventually } from "./eventually.ts";
import { startUpstream } from "./scripted-upstream.ts";

test("bodies are sent as what they are", async () => {
  const upstream = await startUpstream((reply) => reply.json(200, {}));
  await collect(upstream.url);
  await collect(upstream.url, { body: "text" });
  await collect(upstream.url, { body: Buffer.from([1, 2, 255]) });
  await collect(upstream.url, { body: { a: 1 }, method: "PUT" });
  expect(upstream.requests.map(({ method, headers, body }) => [method, headers["content-type"], [...body]])).toEqual([
    ["GET", undefined, []],
    ["POST", undefined, [...Buffer.from("text")]],
    ["POST", undefined, [1, 2, 255]],
    ["PUT", "application/json", [...Buffer.from('{"a":1}')]],
  ]);
  await upstream.close();
});

test("an answer that does not end is left when it is larger than it may be", async () => {
  const upstream = await startUpstream((reply) => reply.eventStream().chunk("x".repeat(1000)).wait(60_000));
  const answer = await collect(upstream.url, { maxBytes: 999 });
  expect([answer.ended, answer.error, answer.body.length]).toEqual(["left", "more than 999 bytes", 1000]);
  await upstream.closed(0);
  await upstream.close();
});

test("each call has a connection of its own", async () => {
  const upstream = await startUpstream((reply) => reply.json(200, {}));
  await collect(upstream.url);
  await collect(upstream.url);
  expect(upstream.requests.map(({ socket }) => socket)).toEqual([0, 1]);
  await upstream.close();
});

test("what never comes true is an error that says what was waited for", async () => {
  await expect(eventually(() => false, "rain", 5)).rejects.toThrow("rain did not come true within 5 ms");
});
