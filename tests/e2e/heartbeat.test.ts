import {
  answersChat,
  answersError,
  chatChunks,
  eventually,
  expectClean,
  FakeClock,
  readChatStream,
} from "@tuloy/testkit";
import type { Collected, ScriptedUpstream } from "@tuloy/testkit";
import OpenAI from "openai";
import { expect, test } from "vitest";

import { hearStream, post, setScene } from "../scene.ts";
import type { Part, Scene } from "../scene.ts";

/** A client that waits for a stream, and what it has heard so far. */
interface Waiting {
  readonly statuses: number[];
  readonly comments: () => number;
  readonly answer: Promise<Collected>;
}

function waitFor(scene: Scene<"a">): Waiting {
  const statuses: number[] = [];
  let heard = "";
  const answer = post(
    scene.gateway,
    { stream: true },
    { onHead: (status) => statuses.push(status), onData: (bytes) => void (heard += bytes.toString()) },
  );
  return { statuses, comments: () => heard.split(": keep-alive\n\n").length - 1, answer };
}

/** Nobody else could be asked, or it is not time yet: the relay waits. */
async function setSlowScene<Name extends string>(
  parts: Readonly<Record<Name, Part>>,
): Promise<{ scene: Scene<Name>; clock: FakeClock }> {
  const clock = new FakeClock();
  return { scene: await setScene(parts, { clock, failover: "first_token: 1m" }), clock };
}

const words = "Here at last.";
const speaks =
  (spoken: PromiseLike<unknown>): Part =>
  (reply, request) =>
    answersChat(words)(reply.wait(spoken), request);

test("a stream without content for 15 s gets its 200 and a comment, and one more every 15 s until it speaks", async () => {
  const spoken = Promise.withResolvers<void>();
  const { scene, clock } = await setSlowScene({ a: speaks(spoken.promise) });
  const { statuses, comments, answer } = waitFor(scene);
  await scene.a.received(0);
  await clock.pass(14_900);
  expect(statuses).toEqual([]);
  await clock.pass(100);
  await eventually(() => comments() === 1, "the first comment");
  await clock.pass(15_000);
  await eventually(() => comments() === 2, "the second comment");
  spoken.resolve();
  const raw = await answer;
  expect(statuses).toEqual([200]);
  expect(expectClean(raw, words)).toEqual([]);
  expect(readChatStream(raw.body).comments).toEqual(["keep-alive", "keep-alive"]);
  // When the head was sent, only the trace was known.
  expect(raw.headers).toHaveProperty("x-tuloy-trace-id");
  expect(raw.headers).not.toHaveProperty("x-tuloy-provider");
  expect(raw.headers["content-type"]).toContain("text/event-stream");
});

test("a stream that has begun gets no comments in between", async () => {
  const rest = Promise.withResolvers<void>();
  const { scene, clock } = await setSlowScene({
    a: (reply) => {
      const [role = "", first = "", ...others] = chatChunks(["Here", " at last."]);
      reply.eventStream().chunk(role).chunk(first).wait(rest.promise);
      for (const event of others) reply.chunk(event);
      return reply.end();
    },
  });
  const { statuses, answer } = waitFor(scene);
  await eventually(() => statuses.length === 1, "the head");
  await clock.pass(20_000);
  rest.resolve();
  const raw = await answer;
  expect(expectClean(raw, words)).toEqual([]);
  expect(readChatStream(raw.body).comments).toEqual([]);
});

test("the official SDK waits through the comments, also while another provider takes over", async () => {
  const { scene, clock } = await setSlowScene({ a: (reply) => reply.eventStream(), b: answersChat(words) });
  const heard = hearStream(scene.gateway.client());
  await scene.a.received(0);
  await clock.pass(59_000);
  expect(scene.b.requests).toHaveLength(0);
  await clock.pass(1_100);
  expect(await heard).toMatchObject({ text: words, error: null });
  expect([scene.a.requests.length, scene.b.requests.length]).toEqual([1, 1]);
});

test("a failure after the first comment is an error event that the SDK raises on", async () => {
  const busy = answersError(503, "overloaded", "no capacity");
  const spoken = Promise.withResolvers<void>();
  const { scene, clock } = await setSlowScene({ a: (reply, request) => busy(reply.wait(spoken.promise), request) });
  const { comments, answer } = waitFor(scene);
  const heard = hearStream(scene.gateway.client());
  await scene.a.received(1);
  await clock.pass(15_000);
  await eventually(() => comments() === 1, "the comment");
  spoken.resolve();

  const raw = await answer;
  expect([raw.status, raw.ended]).toEqual([200, "clean"]);
  const stream = readChatStream(raw.body);
  expect(stream).toMatchObject({ text: "", terminators: 0, comments: ["keep-alive"], remainder: "" });
  const attempts = [{ provider: "a", model: "model-x", failure: "overloaded", status: 503 }];
  expect(stream.errors).toMatchObject([
    { type: "server_error", metadata: { trace_id: raw.headers["x-tuloy-trace-id"], attempts } },
  ]);

  const { error, headers } = await heard;
  expect(headers?.get("x-tuloy-trace-id")).toMatch(/^[0-9a-f]{32}$/);
  expect(error).toBeInstanceOf(OpenAI.APIError);
});

test("a request's own fault after the first comment is an error event too", async () => {
  const spoken = Promise.withResolvers<void>();
  const refused = answersError(400, "bad_tool", "tools[0] is nonsense");
  const { scene, clock } = await setSlowScene({ a: (reply, request) => refused(reply.wait(spoken.promise), request) });
  const { comments, answer } = waitFor(scene);
  await scene.a.received(0);
  await clock.pass(15_000);
  await eventually(() => comments() === 1, "the comment");
  spoken.resolve();
  const stream = readChatStream((await answer).body);
  expect(stream.errors).toMatchObject([{ message: expect.stringContaining("tools[0] is nonsense") }]);
  expect([stream.terminators, stream.remainder]).toEqual([0, ""]);
});

test("the deadline passes after comments: an error event says so, and the provider is let go", async () => {
  const { scene, clock } = await setSlowScene({ a: (reply) => reply.eventStream() });
  const { answer } = waitFor(scene);
  await scene.a.received(0);
  await clock.pass(9.5 * 60_000);
  const raw = await answer;
  const stream = readChatStream(raw.body);
  expect(stream.errors).toMatchObject([{ code: "deadline_exceeded" }]);
  expect(stream.terminators).toBe(0);
  expect(stream.comments.length).toBeGreaterThanOrEqual(37);
  await closedBy(scene.a);
});

async function closedBy(upstream: ScriptedUpstream): Promise<void> {
  await upstream.closed(0);
  expect(upstream.requests[0]?.closed).toMatchObject({ by: "peer" });
}

test("an answer that is not streamed gets no comments: its body is one JSON document", async () => {
  const spoken = Promise.withResolvers<void>();
  const { scene, clock } = await setSlowScene({ a: speaks(spoken.promise) });
  const answer = post(scene.gateway);
  await scene.a.received(0);
  await clock.pass(40_000);
  spoken.resolve();
  const raw = await answer;
  expect(raw.json()).toMatchObject({ choices: [{ message: { content: words } }] });
  expect(raw.text().startsWith("{")).toBe(true);
});
