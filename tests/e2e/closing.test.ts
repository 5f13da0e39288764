import { answersChat, chatChunks } from "@tuloy/testkit";
import type { ReceivedRequest, Reply, Script } from "@tuloy/testkit";
import { expect, test } from "vitest";

import type { GatewayProcess } from "../command.ts";
import { setProcess, streaming, whole } from "../process-scene.ts";
import { answerOn, openWire, rawRequest } from "../wire.ts";

const words = "hello there";

/** Begins each stream at once; everything else waits for its moment, which is one for each request. */
function speaksWhenTold(): { readonly script: Script; readonly tell: (index: number) => void } {
  const moments = Array.from({ length: 2 }, () => Promise.withResolvers<void>());
  const [role = "", ...rest] = chatChunks(["hello ", "there"], { usage: [1, 2] });
  const [first = "", ...others] = rest;
  return {
    script: (reply: Reply, request: ReceivedRequest) => {
      const moment = moments[request.index]?.promise ?? 0;
      const asksForStream = (request.json() as { stream?: boolean }).stream === true;
      if (!asksForStream) return answersChat(words)(reply.wait(moment), request);
      return reply.eventStream().chunk(role).chunk(first).wait(moment).chunk(others.join("")).end();
    },
    tell: (index) => moments[index]?.resolve(),
  };
}

async function terminate(gateway: GatewayProcess): Promise<void> {
  gateway.signal("SIGTERM");
  await gateway.until(() => gateway.stderr.includes("SIGTERM") || null, "word of the signal");
}

test("a client that goes on sending on its kept connection is sent elsewhere, and nobody waits for it", async () => {
  const { script, tell } = speaksWhenTold();
  const { upstream, gateway, url } = await setProcess(script, { grace: "60" });
  const [first, second] = [await openWire(url), await openWire(url)];
  for (const wire of [first, second]) {
    wire.send(rawRequest({ body: streaming }));
    await wire.until("hello ");
  }
  await terminate(gateway);
  tell(0);
  await first.until("[DONE]\n\n\r\n0\r\n\r\n");
  // The second is still being served: a client like this could see to it that there is never a pause.
  first.send(rawRequest());
  const { status, head, error } = await answerOn(first);
  expect([status, error["code"]]).toEqual([503, "shutting_down"]);
  expect(head).toMatch(/^connection: close$/im);
  expect(head).toMatch(/^retry-after: 1$/im);
  await first.closed();
  tell(1);
  expect(await second.closed()).toContain("[DONE]");
  expect(await gateway.finished(10_000)).toMatchObject({ code: 0 });
  expect(upstream.requests).toHaveLength(2);
});

test.each([
  ["a stream", streaming, false],
  ["a JSON answer", whole, true],
])("%s under way is whole, and its connection is not kept when it begins only now", async (_, body, closes) => {
  const { script, tell } = speaksWhenTold();
  const { upstream, gateway, url } = await setProcess(script, { grace: "60" });
  const wire = await openWire(url);
  wire.send(rawRequest({ body }));
  await upstream.received(0);
  if (!closes) await wire.until("hello ");
  await terminate(gateway);
  tell(0);
  const heard = await wire.closed();
  expect(heard).toMatch(/^HTTP\/1\.1 200 OK/);
  expect(/^connection: close\r$/im.test(heard)).toBe(closes);
  expect(heard).toContain(closes ? words : "[DONE]");
  expect(await gateway.finished(10_000)).toMatchObject({ code: 0 });
});

test("a request whose body is still coming is under way: it has the whole grace, and then an answer", async () => {
  const { upstream, gateway, url } = await setProcess(answersChat(words), { grace: "1" });
  const request = rawRequest();
  const [unfinished, finished] = [await openWire(url), await openWire(url)];
  for (const wire of [unfinished, finished]) wire.send(request.slice(0, -10));
  // An answer on a later connection: what was sent before it has been read.
  const last = await openWire(url);
  last.send(rawRequest());
  await last.until("hello");
  await terminate(gateway);
  const terminatedAt = performance.now();
  finished.send(request.slice(-10));
  expect(await finished.closed()).toContain(words);
  expect(upstream.requests).toHaveLength(2);
  const { status, head, error } = await answerOn(unfinished);
  expect([status, error["code"]]).toEqual([503, "shutting_down"]);
  expect(head).toMatch(/^connection: close$/im);
  expect(performance.now() - terminatedAt).toBeGreaterThan(900);
  await unfinished.closed();
  expect(await gateway.finished(10_000)).toMatchObject({ code: 0 });
});
