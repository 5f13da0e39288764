import { writeFileSync } from "node:fs";
import { join } from "node:path";

import {
  canarySecret,
  chatAnswer,
  chatChunks,
  collect,
  openaiError,
  scanFor,
  sse,
  startUpstream,
} from "@tuloy/testkit";
import type { Trace } from "@tuloy/contract";
import { openSqliteReader } from "@tuloy/store";
import type { Reply, Script } from "@tuloy/testkit";
import { describe, expect, onTestFinished, test } from "vitest";

import { GatewayProcess, run, scratchDirectory } from "../command.ts";
import { apiKey } from "../harness.ts";

/** Words that occur nowhere by chance and look like no secret, so that no pattern for keys takes them out. */
function words(name: string): string {
  return `${name}-${canarySecret("").replaceAll(/\d/g, (digit) => "ghijklmnop"[Number(digit)] ?? "")}`;
}

/** A provider that puts the prompt and its answer wherever a provider can put words. */
function talkative(prompt: string, answer: string): Readonly<Record<string, Script>> {
  const says =
    (status: number, code: string | null): Script =>
    (reply) =>
      reply.json(status, openaiError(status, code, `About "${prompt}" I wrote: ${answer}`), { "x-echo": prompt });
  const begins = (reply: Reply): Reply => reply.eventStream().chunk(chatChunks([answer]).slice(0, 2).join(""));
  const text =
    (status: number, type: string, body: string): Script =>
    (reply) =>
      reply.status(status).headers({ "content-type": type }, Buffer.byteLength(body)).chunk(body);
  return {
    good: (reply, { body }) => {
      if (!body.includes('"stream":true')) return reply.json(200, chatAnswer(answer));
      return reply
        .eventStream()
        .chunk(chatChunks([answer, prompt], { usage: [5, 7] }).join(""))
        .end();
    },
    "quoted-code": says(400, prompt),
    "invalid-request": says(400, "invalid_value"),
    "context-length": says(400, "context_length_exceeded"),
    "content-filter": says(400, "content_filter"),
    unprocessable: text(422, "text/plain", `${prompt} ${answer}`),
    "wrong-key": says(401, "invalid_api_key"),
    "not-found": says(404, "model_not_found"),
    "rate-limited": says(429, "rate_limit_exceeded"),
    "no-money": says(429, "insufficient_quota"),
    "server-error": says(500, prompt),
    overloaded: says(503, null),
    "error-under-200": (reply) => reply.json(200, openaiError(500, prompt, `${prompt} ${answer}`)),
    "page-under-200": text(200, "text/html", `<html>${prompt} ${answer}</html>`),
    "half-json": text(200, "application/json", `{"choices":[{"message":{"content":"${answer} ${prompt}`),
    "error-event": (reply) =>
      reply
        .eventStream()
        .chunk(sse(openaiError(500, prompt, `${prompt} ${answer}`)))
        .end(),
    "named-error-event": (reply) =>
      begins(reply)
        .chunk(sse(`${prompt} ${answer}`, "error"))
        .end(),
    "error-event-later": (reply) =>
      begins(reply)
        .chunk(sse(openaiError(500, prompt, `${prompt} ${answer}`)))
        .end(),
    "malformed-event": (reply) =>
      begins(reply)
        .chunk(sse(`{"choices": ${answer}`))
        .chunk(chatChunks([prompt]).slice(2).join(""))
        .end(),
    "cut-off": (reply) => begins(reply).reset(),
    "bad-http": (reply) => reply.raw(`HTTP/1.1 200 OK\r\n${prompt} ${answer}\r\n\r\n`).fin(),
  };
}

interface Told {
  readonly prompt: string;
  readonly answer: string;
  /** Where prompt or answer are found under the data directory. */
  readonly hits: readonly string[];
  readonly traces: readonly Trace[];
  /** All that the gateway logged, and all that its commands show of it afterwards. */
  readonly shown: string;
}

/** Asks for everything, with and without a key, as JSON and as a stream, twice. */
async function haveItTold(retention: "metadata" | "none"): Promise<Told> {
  const prompt = words("prompt");
  const answer = words("answer");
  const scripts = talkative(prompt, answer);
  const upstream = await startUpstream((reply, request) => {
    const { model } = request.json() as { model: string };
    return scripts[model]?.(reply, request);
  });
  // Not closed with `close`, which would throw for the connections that a script broke on purpose.
  onTestFinished(() => upstream.refuse());
  const directory = scratchDirectory();
  const models = Object.keys(scripts);
  writeFileSync(
    join(directory, "tuloy.yaml"),
    [
      `keys: [{ name: app, value: ${apiKey} }]`,
      "providers:",
      ...models.flatMap((model) =>
        ["one", "two"].map(
          (twin) =>
            `  ${model}-${twin}: { kind: openai-compatible, base_url: "${upstream.url}/v1", keys: [{ value: sk-${twin} }], models: { ${model}: } }`,
        ),
      ),
      `routes: [{ name: default, retention: ${retention}, failover: { patience: 0s } }]`,
    ].join("\n"),
  );
  const environment = { TULOY_LOG_LEVEL: "debug" };
  const gateway = new GatewayProcess(["start", "--port", "0"], { directory, environment });
  const url = await gateway.listening();
  const statuses: (number | null)[] = [];
  for (const model of models) {
    for (const stream of [false, true]) {
      for (const key of [undefined, `key-${model}-${stream}`, `key-${model}-${stream}`]) {
        const { status } = await collect(`${url}/v1/chat/completions`, {
          body: { model, messages: [{ role: "user", content: prompt }], stream },
          headers: { authorization: `Bearer ${apiKey}`, ...(key === undefined ? {} : { "idempotency-key": key }) },
        });
        statuses.push(status);
      }
    }
  }
  expect(statuses.slice(0, 6)).toEqual(retention === "none" ? [200, 200, 409, 200, 200, 409] : Array(6).fill(200));
  expect(statuses).not.toContain(null);
  // While it runs there are files that are gone afterwards.
  const running = await hits(prompt, answer, directory);
  gateway.signal("SIGTERM");
  const { stdout, stderr, code } = await gateway.finished();
  expect(code).toBe(0);
  const ended = await hits(prompt, answer, directory);
  // It was looked for in something: the records are there and hold what happened.
  expect(await scanFor("context-length", join(directory, ".tuloy"))).not.toEqual([]);

  const traces = await allTraces(join(directory, ".tuloy"));
  expect(traces).toHaveLength(statuses.length);
  const lists = (await run(["traces", "--limit", "1000"], { directory })).stdout;
  const timeline = (await run(["traces", traces.at(-7)?.id ?? ""], { directory })).stdout;
  const alerts = (await run(["alerts", "--json"], { directory })).stdout;
  return {
    prompt,
    answer,
    hits: [...running, ...ended],
    traces,
    shown: [stdout, stderr, lists, timeline, alerts, JSON.stringify(traces)].join("\n"),
  };
}

async function allTraces(dataDir: string): Promise<Trace[]> {
  const reader = await openSqliteReader(dataDir);
  const traces: Trace[] = [];
  for (const { id } of await reader.list({ limit: 1000 })) {
    const found = await reader.find(id);
    if (found.found === "one") traces.push(found.trace);
  }
  await reader.close();
  return traces;
}

async function hits(prompt: string, answer: string, directory: string): Promise<string[]> {
  const found: string[] = [];
  for (const [name, canary] of Object.entries({ prompt, answer })) {
    for (const hit of await scanFor(canary, join(directory, ".tuloy"))) found.push(`${name} in ${JSON.stringify(hit)}`);
  }
  return found;
}

describe("with retention: none", () => {
  test("nothing of a prompt or an answer is in any file, log line, trace or alert", { timeout: 60_000 }, async () => {
    const told = await haveItTold("none");
    expect(told.hits).toEqual([]);
    for (const canary of [told.prompt, told.answer]) expect(told.shown).not.toContain(canary);
    // What kind of failure it was is known all the same.
    const classes = new Set(told.traces.flatMap(({ attempts }) => attempts.map(({ failure }) => failure)));
    for (const each of ["invalid_request", "content_filter", "auth", "quota_exhausted", "overloaded", "garbled"]) {
      expect(classes).toContain(each);
    }
    expect(told.shown).toContain("what the provider said is not kept (retention: none)");
    const codes = new Set(told.traces.map(({ code }) => code));
    for (const each of ["unlisted_code", "content_filter", "upstream_failed"]) expect(codes).toContain(each);
  });
});

describe("with retention: metadata", () => {
  test(
    "a provider's words are in the traces, where they may quote a prompt, and nowhere else",
    { timeout: 60_000 },
    async () => {
      const told = await haveItTold("metadata");
      expect(told.hits.length).toBeGreaterThan(0);
      expect(told.hits.filter((hit) => !hit.includes("tuloy.db"))).toEqual([]);
      expect(told.shown).toContain(told.prompt);
    },
  );
});
