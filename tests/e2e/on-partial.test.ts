import { answersChat, eventually, expectClean, FakeClock, readChatStream, sse } from "@tuloy/testkit";
import type { Reply, Script } from "@tuloy/testkit";
import { describe, expect, test } from "vitest";

import { begins, bodyOf, breaksOff, continues, event, had, says, shape, whole } from "../breaking-stream.ts";
import { post, question, setScene } from "../scene.ts";

describe("on_partial: continue-soft", () => {
  const soft = { providers: { a: continues("none"), b: continues("none") }, failover: "on_partial: continue-soft" };
  const asksSoftly: Script = (reply, request) => {
    const { messages } = bodyOf(request);
    if (messages.length === 1) return says(reply, "Something else entirely.");
    // A model that repeats the last words, as many do.
    return says(reply, `then,${whole.slice(had.length)}`);
  };

  test("asks, when no replay fits, to go on from the last words, and takes out what is repeated", async () => {
    const { b, gateway } = await setScene({ a: breaksOff, b: asksSoftly }, soft);
    const raw = await post(gateway, { stream: true });
    expect(expectClean(raw, whole)).toEqual([]);
    expect(bodyOf(b.requests[1]).messages).toMatchObject([
      question.messages[0],
      { role: "assistant", content: had },
      { role: "user", content: expect.stringContaining(JSON.stringify(had)) },
    ]);
    expect((await gateway.lastTrace()).attempts.map(({ kind }) => kind)).toEqual([
      "first",
      "replay",
      "soft_continuation",
    ]);
  });

  test("is not done unless the route asks for it", async () => {
    const { b, gateway } = await setScene({ a: breaksOff, b: asksSoftly }, { providers: soft.providers });
    const raw = await post(gateway, { stream: true });
    expect(readChatStream(raw.body)).toMatchObject({ text: had, errors: [{ code: "stream_broken" }] });
    expect(b.requests).toHaveLength(1);
  });
});

describe("on_partial: hold", () => {
  const hold = "on_partial: hold, stall: 200ms";

  test.each<[string, Script]>([
    ["breaks", breaksOff],
    ["stalls", (reply) => begins(reply)],
    ["ends without a finish reason", (reply) => begins(reply).end()],
    [
      "sends an error event",
      (reply) =>
        begins(reply)
          .chunk(sse({ error: { message: "died", type: "server_error" } }))
          .end(),
    ],
  ])("makes a stream that %s invisible: the attempt is replaced", async (_, a) => {
    const { gateway } = await setScene({ a, b: answersChat("All from B.", { id: "b" }) }, { failover: hold });
    const raw = await post(gateway, { stream: true });
    expect(expectClean(raw, "All from B.")).toEqual([]);
    expect(readChatStream(raw.body).ids).toEqual(["b"]);
    expect(raw.headers).toMatchObject({ "x-tuloy-provider": "b", "x-tuloy-attempts": "2" });
    expect(await gateway.lastTrace()).toMatchObject({
      outcome: "succeeded",
      attempts: [{ kind: "first" }, { kind: "twin" }],
    });
  });

  test("sends signs of life and no content before the answer is whole", async () => {
    const rest = Promise.withResolvers<void>();
    const clock = new FakeClock();
    const { a, gateway } = await setScene(
      {
        a: (reply) =>
          begins(reply)
            .wait(rest.promise)
            .chunk(event({}, shape.id, "stop"))
            .chunk(sse("[DONE]"))
            .end(),
      },
      { failover: "on_partial: hold", clock },
    );
    let heard = "";
    const answer = post(gateway, { stream: true }, { onData: (bytes) => void (heard += bytes.toString()) });
    await a.received(0);
    await clock.pass(15_000);
    await eventually(() => heard !== "", "a sign of life");
    expect(heard).toBe(": keep-alive\n\n");
    rest.resolve();
    expect(expectClean(await answer, had)).toEqual([]);
  });

  test("holds at most so much: what is longer is sent, and reported when it breaks then", async () => {
    const long = "x".repeat(1024 * 1024);
    const { b, gateway } = await setScene(
      {
        a: (reply) =>
          Array.from({ length: 9 })
            .reduce<Reply>((said) => said.chunk(event({ content: long }, shape.id)), reply.eventStream())
            .end(),
        b: answersChat("never asked"),
      },
      { failover: "on_partial: hold" },
    );
    const raw = await post(gateway, { stream: true });
    const stream = readChatStream(raw.body);
    expect(stream).toMatchObject({ terminators: 0, errors: [{ code: "stream_broken" }] });
    expect(stream.text.length).toBeGreaterThan(7 * long.length);
    expect(b.requests).toHaveLength(0);
  });
});
