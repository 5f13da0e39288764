import { connect } from "node:net";

import { afterEach, expect, test } from "vitest";

import { collect } from "./collect.ts";
import { eventually, turn } from "./eventually.ts";
import { FakeClock } from "./fake-clock.ts";
import { startUpstream } from "./scripted-upstream.ts";
import type { Script, ScriptedUpstream, UpstreamOptions } from "./scripted-upstream.ts";

const started: ScriptedUpstream[] = [];

async function upstreamThat(script: Script | readonly Script[], options?: UpstreamOptions): Promise<ScriptedUpstream> {
  const upstream = await startUpstream(script, options);
  started.push(upstream);
  return upstream;
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((upstream) => upstream.close()));
});

/** All bytes of one reply, and whether its connection was reset. */
async function rawReply(upstream: ScriptedUpstream): Promise<{ bytes: string; reset: boolean }> {
  const socket = connect(upstream.port, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\n\r\n");
  let bytes = "";
  let reset = false;
  socket.on("data", (data: Buffer) => (bytes += data.toString("latin1")));
  socket.on("error", () => (reset = true));
  await new Promise((resolve) => socket.once("close", resolve));
  return { bytes, reset };
}

test("a chunked reply arrives whole, and the request is kept with everything in it", async () => {
  const upstream = await upstreamThat((reply) =>
    reply.status(200).headers({ "x-a": "b" }).chunk("he").chunk("llo").end(),
  );
  const answer = await collect(`${upstream.url}/v1/x?y=1`, { body: { model: "m" }, headers: { "X-Key": "k" } });
  expect([answer.status, answer.headers["x-a"], answer.text(), answer.ended]).toEqual([200, "b", "hello", "clean"]);
  const request = await upstream.received(0);
  expect([request.method, request.path, request.headers["x-key"]]).toEqual(["POST", "/v1/x?y=1", "k"]);
  expect(request.json()).toEqual({ model: "m" });
});

test("a list answers one request each; one too many is an error of the test", async () => {
  const upstream = await startUpstream([(reply) => reply.json(200, 1), (reply) => reply.json(200, 2)]);
  const answers = [];
  for (let count = 0; count < 3; count++) answers.push(await collect(upstream.url));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 500]);
  expect(answers[2]?.text()).toContain("no reply for request 2");
  await expect(upstream.close()).rejects.toThrow("no reply for request 2");
});

test("what a script throws is thrown again at the close", async () => {
  const upstream = await startUpstream(() => {
    throw new Error("wrong model");
  });
  expect((await collect(upstream.url)).ended).toBe("aborted");
  await expect(upstream.close()).rejects.toThrow("wrong model");
});

test("a body can be told by its length, and the length can lie", async () => {
  const upstream = await upstreamThat([
    (reply) => reply.status(200).headers({}, 5).chunk("hello"),
    (reply) => reply.status(200).headers({}, 9).chunk("hello").fin(),
  ]);
  expect((await collect(upstream.url)).ended).toBe("clean");
  const lie = await collect(upstream.url);
  expect([lie.text(), lie.ended]).toEqual(["hello", "aborted"]);
});

test("a body with neither length nor chunks ends with FIN and looks whole", async () => {
  const upstream = await upstreamThat((reply) => reply.status(200).headers({}, "fin").chunk("hello").end());
  const answer = await collect(upstream.url);
  expect([answer.text(), answer.ended]).toEqual(["hello", "clean"]);
});

test("a chunked body that ends by FIN or RST is aborted, with all that was sent before", async () => {
  const upstream = await upstreamThat([
    (reply) => reply.eventStream().chunk("data: 1\n\n").fin(),
    (reply) => reply.eventStream().chunk("data: 1\n\n").reset(),
  ]);
  for (const answer of [await collect(upstream.url), await collect(upstream.url)]) {
    expect([answer.status, answer.text(), answer.ended]).toEqual([200, "data: 1\n\n", "aborted"]);
  }
});

test("a reset as the first step comes before any byte", async () => {
  const upstream = await upstreamThat((reply) => reply.reset());
  expect(await rawReply(upstream)).toEqual({ bytes: "", reset: true });
  expect((await collect(upstream.url)).status).toBeNull();
});

test("1xx answers, half headers and garbage go over the wire as they are said", async () => {
  const upstream = await upstreamThat([
    (reply) => reply.informational(103, { link: "</x>" }).json(200, {}),
    (reply) => reply.status(200).raw("content-le").fin(),
    (reply) => reply.raw("SMTP ready\r\n").fin(),
  ]);
  const early = await collect(upstream.url);
  expect([early.status, early.text()]).toEqual([200, "{}"]);
  expect(await rawReply(upstream)).toEqual({ bytes: "HTTP/1.1 200 OK\r\ncontent-le", reset: false });
  expect(await rawReply(upstream)).toEqual({ bytes: "SMTP ready\r\n", reset: false });
});

test("a header may have several values", async () => {
  const upstream = await upstreamThat((reply) =>
    reply
      .status(200)
      .headers({ "set-cookie": ["a=1", "b=2"] })
      .end(),
  );
  expect((await collect(upstream.url)).headers["set-cookie"]).toEqual(["a=1", "b=2"]);
});

test("a reply can be cut at every byte, exactly", async () => {
  const whole = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
  let cut = 0;
  const upstream = await upstreamThat((reply) => reply.cutAt(cut).status(200).headers({}).chunk("hello").end().fin());
  for (; cut <= whole.length; cut++) {
    expect(await rawReply(upstream)).toEqual({ bytes: whole.slice(0, cut), reset: false });
  }
  upstream.script((reply) => reply.cutAt(20, "reset").status(200).headers({}));
  expect(await rawReply(upstream)).toEqual({ bytes: whole.slice(0, 20), reset: true });
});

test("trickled data comes byte by byte", async () => {
  const upstream = await upstreamThat((reply) => reply.eventStream("fin").trickle("añb", 1).end());
  const answer = await collect(upstream.url);
  expect([answer.text(), answer.ended]).toEqual(["añb", "clean"]);
});

test("a wait lasts until the clock, a promise or a signal says so", async () => {
  const clock = new FakeClock();
  const gate = Promise.withResolvers<void>();
  const signal = new AbortController();
  const upstream = await upstreamThat(
    (reply) =>
      reply.eventStream().wait(60_000).chunk("1").wait(gate.promise).chunk("2").wait(signal.signal).chunk("3").end(),
    { clock },
  );
  let seen = "";
  const answer = collect(upstream.url, { onData: (bytes) => (seen += bytes.toString()) });
  await eventually(() => clock.pending === 1);
  clock.advance(59_999);
  await turn();
  expect(seen).toBe("");
  clock.advance(1);
  await eventually(() => seen === "1");
  gate.resolve();
  await eventually(() => seen === "12");
  signal.abort();
  expect((await answer).text()).toBe("123");
});

test("a client that leaves is seen, and ends the wait of its script", async () => {
  const clock = new FakeClock(100);
  const upstream = await upstreamThat((reply) => reply.eventStream().chunk("1").wait(60_000).chunk("2").end(), {
    clock,
  });
  const answer = await collect(upstream.url, { onData: () => false });
  expect(answer.ended).toBe("left");
  await upstream.closed(0);
  expect(upstream.requests[0]?.closed).toEqual({ by: "peer", at: 100 });
  await eventually(() => clock.pending === 0 && upstream.openSockets === 0);
});

test("a connection that the script closed is not taken for one that the client closed", async () => {
  const upstream = await upstreamThat((reply) => reply.reset());
  await collect(upstream.url);
  await expect(upstream.closed(0)).rejects.toThrow("the script closed");
});

test("accepted and never answered stays open until the client gives up", async () => {
  const upstream = await upstreamThat((reply) => reply.silence());
  const clock = new FakeClock();
  const answer = collect(upstream.url, { timeoutMs: 10_000, clock });
  await upstream.received(0);
  expect(upstream.requests[0]?.closed).toBeNull();
  clock.advance(10_000);
  expect(await answer).toMatchObject({ status: null, ended: "timeout" });
  await upstream.closed(0);
});

test("a refusing upstream has no port open and no connection; accepting again has the same port", async () => {
  const upstream = await upstreamThat((reply) => reply.eventStream().chunk("1"));
  const live = collect(upstream.url, { onData: () => upstream.refuse() });
  expect((await live).ended).toBe("aborted");
  expect((await collect(upstream.url)).error).toContain("ECONNREFUSED");
  await upstream.accept();
  upstream.script((reply) => reply.json(200, {}));
  expect((await collect(upstream.url)).status).toBe(200);
});

test("requests that share a connection have the same socket number", async () => {
  const upstream = await upstreamThat((reply) => reply.json(200, {}));
  const socket = connect(upstream.port, "127.0.0.1");
  socket.resume();
  socket.write("GET /a HTTP/1.1\r\n\r\n");
  await upstream.received(0);
  socket.write("GET /b HTTP/1.1\r\n\r\n");
  await upstream.received(1);
  await collect(upstream.url);
  expect(upstream.requests.map(({ socket }) => socket)).toEqual([0, 0, 1]);
  expect(upstream.acceptedSockets).toBe(2);
  socket.destroy();
  await upstream.closed(1);
});

test("bytes that are no request are reported at the close", async () => {
  const upstream = await startUpstream((reply) => reply.json(200, {}));
  const socket = connect(upstream.port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write("hello\r\n\r\n");
  await new Promise((resolve) => socket.once("close", resolve));
  await expect(upstream.close()).rejects.toThrow("not an HTTP/1.1 request line");
});
