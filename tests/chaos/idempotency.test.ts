import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { answersChat, chatAnswer, collect, scanFor } from "@tuloy/testkit";
import type { Collected } from "@tuloy/testkit";
import { describe, expect, onTestFinished, test } from "vitest";

import { run } from "../command.ts";
import { headers, setProcess, soon, startAgain, streaming, tracesIn, whole } from "../process-scene.ts";
import { errorOf } from "../shared-scene.ts";

function ask(
  url: string,
  key: string,
  body: string,
  more: Record<string, string> = {},
  onHead?: () => void,
): Promise<Collected> {
  return collect(`${url}/v1/chat/completions`, {
    headers: { ...headers, "idempotency-key": key, ...more },
    body,
    timeoutMs: 20_000,
    ...(onHead === undefined ? {} : { onHead }),
  });
}

describe("a process that ends", () => {
  test.each(["SIGTERM", "SIGKILL"] as const)(
    "by %s the moment an answer is whole gives it again when it is back, to the byte",
    async (signal) => {
      const scene = await setProcess(answersChat("hello there"));
      const { upstream, gateway, url, directory } = scene;
      const json = await ask(url, "json", whole);
      const stream = await ask(url, "stream", streaming);
      gateway.signal(signal);
      await gateway.finished();

      const address = await startAgain(scene);
      const again = [await ask(address, "json", whole), await ask(address, "stream", streaming)];
      for (const [index, first] of [json, stream].entries()) {
        expect(first.status).toBe(200);
        expect(again[index]?.status).toBe(200);
        expect(again[index]?.headers).toMatchObject({
          "idempotent-replayed": "true",
          "content-type": first.headers["content-type"],
        });
        expect(again[index]?.body.equals(first.body)).toBe(true);
      }
      expect(upstream.requests).toHaveLength(2);
      expect((await ask(address, "json", streaming)).status).toBe(422);

      // What was kept cannot be read without the key beside it, which only its owner can read.
      const dataDir = join(directory, ".tuloy");
      expect(await scanFor("hello there", dataDir)).toEqual([]);
      expect(statSync(join(dataDir, "master-key")).mode & 0o777).toBe(0o600);
      expect(readdirSync(dataDir).filter((name) => name.startsWith("master-key"))).toEqual(["master-key"]);
    },
  );

  test("by kill -9 in the middle: the key is taken until the request's time is over, and free then", async () => {
    const scene = await setProcess((reply, { index }) => {
      if (index > 0) reply.json(200, chatAnswer("second"));
    });
    const { upstream, gateway, url } = scene;
    const lost = ask(url, "key-1", whole, { "x-tuloy-timeout-ms": "500" });
    await upstream.received(0);
    gateway.signal("SIGKILL");
    await gateway.finished();
    expect((await lost).ended).toBe("aborted");

    const address = await startAgain(scene);
    const early = await ask(address, "key-1", whole);
    expect(errorOf(early).code).toBe("idempotency_in_flight");
    expect(Number(early.headers["retry-after-ms"])).toBeLessThanOrEqual(5500);
    expect(upstream.requests).toHaveLength(1);
    const answer = await soon(async () => {
      const each = await ask(address, "key-1", whole);
      return each.status === 200 ? each : undefined;
    }, "the end of the claim");
    expect(answer.headers["idempotent-replayed"]).toBeUndefined();
    expect(answer.text()).toContain("second");
    expect((await ask(address, "key-1", whole)).headers["idempotent-replayed"]).toBe("true");
    expect(upstream.requests).toHaveLength(2);
  });

  test("under another master key can read nothing that was kept, and its keys are free", async () => {
    const scene = await setProcess(answersChat("hello there"));
    await ask(scene.url, "key-1", whole);
    scene.gateway.signal("SIGTERM");
    await scene.gateway.finished();
    const masterKey = Buffer.alloc(32, 7).toString("base64");
    const address = await startAgain(scene, { TULOY_MASTER_KEY: masterKey });
    const again = await ask(address, "key-1", whole);
    expect(again.status).toBe(200);
    expect(again.headers["idempotent-replayed"]).toBeUndefined();
    expect(scene.upstream.requests).toHaveLength(2);
  });
});

test("two processes on one data directory: a key is carried out by one of them, and its answer is known to both", async () => {
  const { promise: goOn, resolve } = Promise.withResolvers<void>();
  const scene = await setProcess((reply) => reply.wait(goOn).json(200, chatAnswer("hello")));
  const other = await startAgain(scene);
  const first = ask(scene.url, "key-1", whole);
  await scene.upstream.received(0);
  expect(errorOf(await ask(other, "key-1", whole)).code).toBe("idempotency_in_flight");
  resolve();
  const answer = await first;
  const again = await ask(other, "key-1", whole);
  expect(again.headers["idempotent-replayed"]).toBe("true");
  expect(again.body.equals(answer.body)).toBe(true);
  expect(scene.upstream.requests).toHaveLength(1);
});

test(
  "a database that another process holds: requests with a key go on, say that they are not kept, and the operator is told",
  { timeout: 40_000 },
  async () => {
    const { promise: goOn, resolve } = Promise.withResolvers<void>();
    const { upstream, gateway, url, directory } = await setProcess((reply) =>
      reply.wait(goOn).json(200, chatAnswer("hello")),
    );
    const other = new DatabaseSync(join(directory, ".tuloy", "tuloy.db"), { timeout: 5000 });
    onTestFinished(() => other.close());
    other.exec("begin immediate");
    const first = ask(url, "key-1", whole);
    await upstream.received(0);
    // This process knows without the database that it is under way.
    expect(errorOf(await ask(url, "key-1", whole)).code).toBe("idempotency_in_flight");
    resolve();
    expect(await first).toMatchObject({ status: 200, headers: { "x-tuloy-idempotency": "not-stored" } });
    // On a busy machine the wait ends before the database has said why.
    const [told] = await gateway.logged("idempotency_failing");
    expect(told?.["msg"]).toMatch(
      /requests with one go on, .*(?:tuloy\.db is locked by another process|did not answer within 3 s)/,
    );
    other.exec("rollback");

    const kept = await soon(async () => {
      const answer = await ask(url, "key-2", whole);
      return answer.headers["x-tuloy-idempotency"] === undefined ? answer : undefined;
    }, "an answer that is kept");
    expect(kept.status).toBe(200);
    expect((await ask(url, "key-2", whole)).status).toBe(200);
    // The first one's trace waited until it could be written, and says why.
    const id = String((await first).headers["x-tuloy-trace-id"]);
    await soon(async () => (await tracesIn(directory)).some((row) => row.id === id), "its trace");
    const shown = (await run(["traces", id], { directory })).stdout;
    expect(shown).toContain("the idempotency key could not be claimed");
    expect(shown).toContain("the answer could not be kept for its idempotency key");
    expect((await run(["alerts", "--json"], { directory })).stdout).toContain("idempotency_failing");
  },
);
