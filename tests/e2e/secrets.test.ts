import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import {
  answersChat,
  canarySecret,
  chatChunks,
  collect,
  openaiError,
  scanFor,
  sse,
  startUpstream,
} from "@tuloy/testkit";
import type { Collected, ReceivedRequest, Reply, Script, ScriptedUpstream } from "@tuloy/testkit";
import { expect, onTestFinished, test } from "vitest";

import { GatewayProcess, run, scratchDirectory } from "../command.ts";
import { model } from "../harness.ts";

/** What every upstream here knows and must not be able to spread: the key it was sent. */
const keyOf = (request: ReceivedRequest): string => (request.headers["authorization"] ?? "").replace("Bearer ", "");

const says =
  (status: number, code: string | null, words: (key: string) => string): Script =>
  (reply, request) => {
    const key = keyOf(request);
    return reply.json(status, openaiError(status, code, words(key)), { "x-echo": key, "set-cookie": `key=${key}` });
  };

const begins = (reply: Reply): Reply => reply.eventStream().chunk(chatChunks(["begun"]).slice(0, 2).join(""));

/** Providers that repeat their key wherever a provider can put words. */
const talkative: Readonly<Record<string, Script>> = {
  "invalid-request": says(400, "invalid_value", (key) => `The request with ${key} is not valid.`),
  "invalid-request-code": (reply, request) =>
    reply.json(400, openaiError(400, keyOf(request), `not valid`, `type ${keyOf(request)}`)),
  "not-json": (reply, request) => {
    const text = `Bad request by ${keyOf(request)}`;
    return reply.status(422).headers({ "content-type": "text/plain" }, text.length).chunk(text);
  },
  "context-length": says(400, "context_length_exceeded", (key) => `Too long for ${key}`),
  "content-filter": says(400, "content_filter", (key) => `${key} was filtered`),
  "wrong-key": says(401, "invalid_api_key", (key) => `Incorrect API key provided: ${key}.`),
  "no-permission": says(403, null, (key) => `${key} may not do this`),
  "no-money": says(429, "insufficient_quota", (key) => `The quota of ${key} is used up`),
  "rate-limited": says(429, "rate_limit_exceeded", (key) => `Too many requests by ${key}`),
  "not-found": says(404, "model_not_found", (key) => `${key} has no such model`),
  overloaded: says(503, null, (key) => `overloaded for ${key}`),
  "server-error": says(500, null, (key) => `could not serve "${key}", key=${key}, Bearer ${key}`),
  redirect: (reply, request) =>
    reply.status(302).headers({ location: `https://elsewhere.example/?key=${keyOf(request)}` }, 0),
  "error-under-200": (reply, request) => reply.json(200, openaiError(500, null, `failed for ${keyOf(request)}`)),
  "html-under-200": (reply, request) =>
    reply
      .status(200)
      .headers({ "content-type": "text/html" })
      .chunk(`<html>${keyOf(request)}</html>`)
      .end(),
  "stream-error-first": (reply, request) =>
    reply
      .eventStream()
      .chunk(sse(openaiError(500, null, `failed for ${keyOf(request)}`)))
      .end(),
  "stream-error-later": (reply, request) =>
    begins(reply)
      .chunk(sse(openaiError(500, keyOf(request), `failed for ${keyOf(request)}`)))
      .end(),
  "stream-garbage": (reply, request) =>
    begins(reply)
      .chunk(sse(`{"key": "${keyOf(request)}" oops`))
      .fin(),
  "bad-http": (reply, request) => reply.raw(`HTTP/1.1 200 OK\r\nkey ${keyOf(request)}\r\n\r\n`).fin(),
  good: answersChat("hello there"),
};

interface Setting {
  readonly gateway: GatewayProcess;
  readonly url: string;
  readonly directory: string;
  readonly apiKey: string;
  readonly providerKeys: readonly string[];
}

/** A gateway with one talkative provider per model, each with a twin that says the same with a key of its own. */
async function setUp(): Promise<Setting> {
  const names = Object.keys(talkative);
  const upstreams: ScriptedUpstream[] = [];
  const directory = scratchDirectory();
  const providerKeys: string[] = [];
  const environment: Record<string, string> = { TULOY_LOG_LEVEL: "debug" };
  const apiKey = canarySecret("caller");
  environment["CALLER"] = apiKey;
  const lines = ["keys: [{ name: app, value: ${CALLER} }]", "providers:"];
  for (const name of names) {
    for (const twin of ["one", "two"]) {
      const upstream = await startUpstream(talkative[name] ?? answersChat(""));
      upstreams.push(upstream);
      // The second looks like a key, by its prefix and its letters and digits. The first looks like plain words.
      const key = twin === "two" ? canarySecret("sk-") : `open-sesame-${lettersOf(canarySecret())}`;
      providerKeys.push(key);
      environment[`KEY_${providerKeys.length}`] = key;
      lines.push(
        `  ${name}-${twin}: { kind: openai-compatible, base_url: "${upstream.url}/v1", keys: [{ value: "\${KEY_${providerKeys.length}}" }], models: { ${name}: { id: ${model} } } }`,
      );
    }
  }
  lines.push("routes: [{ name: default, failover: { patience: 0s } }]");
  // Not closed with `close`, which would throw for the connections that a script broke on purpose.
  onTestFinished(() => {
    for (const upstream of upstreams) upstream.refuse();
  });
  writeFileSync(join(directory, "tuloy.yaml"), `${lines.join("\n")}\n`);
  const gateway = new GatewayProcess(["start", "--port", "0"], { directory, environment });
  return { gateway, url: await gateway.listening(), directory, apiKey, providerKeys };
}

/** Hexadecimal digits as letters, so that no pattern for keys can know them. */
function lettersOf(text: string): string {
  return text.replaceAll(/\d/g, (digit) => "ghijklmnop"[Number(digit)] ?? "");
}

function askFor(url: string, name: string, apiKey: string, stream: boolean): Promise<Collected> {
  const body = { model: name, messages: [{ role: "user", content: "Hi" }], stream };
  return collect(`${url}/v1/chat/completions`, { body, headers: { authorization: `Bearer ${apiKey}` } });
}

test(
  "no key gets into an answer, a log line, a trace, an alert or a file, whatever providers repeat",
  { timeout: 60_000 },
  async () => {
    const { gateway, url, directory, apiKey, providerKeys } = await setUp();
    const answers: Collected[] = [];
    for (const name of Object.keys(talkative)) {
      for (const stream of [false, true]) answers.push(await askFor(url, name, apiKey, stream));
    }
    answers.push(await askFor(url, "nothing", apiKey, false));
    answers.push(await askFor(url, "good", canarySecret("wrong"), false));
    answers.push(await collect(`${url}/v1/models`, { headers: { authorization: `Bearer ${apiKey}` } }));
    // The talkative were asked, and refused: otherwise there was nothing to hide.
    expect(answers.filter(({ status }) => status !== 200 && status !== null).length).toBeGreaterThan(20);
    expect(answers.at(-4)?.status).toBe(200);

    // A change that is refused tells about the file, which holds keys where somebody wrote them into it.
    const written = canarySecret("sk-");
    writeFileSync(
      join(directory, "tuloy.yaml"),
      `providers: { x: { kind: openai, keys: [{ valeu: ${written} }], ${written}: 1 } }\n`,
    );
    await gateway.logged("config_rejected");
    gateway.signal("SIGTERM");
    const { stdout, stderr } = await gateway.finished();

    const listed = (await run(["traces", "--json", "--limit", "1000"], { directory })).stdout.trim().split("\n");
    expect(listed).toHaveLength(2 * Object.keys(talkative).length + 1);
    const shown: string[] = [];
    for (const line of listed) {
      const { id } = JSON.parse(line) as { id: string };
      if (shown.length < 3) shown.push((await run(["traces", id], { directory })).stdout);
    }
    const others = await Promise.all(
      [["traces"], ["alerts"], ["check"], ["check", "--json"]].map((args) => run(args, { directory })),
    );

    const told: Readonly<Record<string, string>> = {
      answers: answers.map(({ headers, body }) => `${JSON.stringify(headers)}\n${body.toString()}`).join("\n"),
      log: stdout + stderr,
      traces: listed.join("\n") + shown.join("\n"),
      commands: others.map((other) => other.stdout + other.stderr).join("\n"),
    };
    const secrets = [apiKey, written, ...providerKeys];
    const leaks: string[] = [];
    for (const [index, secret] of secrets.entries()) {
      for (const [place, text] of Object.entries(told)) {
        const at = text.indexOf(secret);
        if (at !== -1) leaks.push(`secret ${index} in ${place}: …${text.slice(Math.max(0, at - 120), at + 60)}…`);
      }
      for (const hit of await scanFor(secret, join(directory, ".tuloy")))
        leaks.push(`secret ${index}: ${JSON.stringify(hit)}`);
    }
    expect(leaks).toEqual([]);
    // It was looked for in something: the records are there and hold what happened.
    expect(readdirSync(join(directory, ".tuloy"))).toContain("tuloy.db");
    expect((await scanFor("stream-error-later", join(directory, ".tuloy"))).length).toBeGreaterThan(0);
  },
);
