import { mkdirSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import {
  answersChat,
  answersError,
  chatChunks,
  collect,
  eventually,
  readChatStream,
  startUpstream,
} from "@tuloy/testkit";
import type { Script, ScriptedUpstream } from "@tuloy/testkit";
import OpenAI from "openai";
import { expect, onTestFinished, test } from "vitest";

import { GatewayProcess, run, scratchDirectory } from "../command.ts";
import { apiKey, configText, model } from "../harness.ts";

async function upstreamThat(script: Script): Promise<ScriptedUpstream> {
  const upstream = await startUpstream(script);
  onTestFinished(() => upstream.close());
  return upstream;
}

/** A configuration with these upstreams as the only providers, in this order of preference. */
function preferring(upstreams: Readonly<Record<string, ScriptedUpstream>>, more = ""): string {
  const providers = Object.fromEntries(Object.entries(upstreams).map(([name, { url }]) => [name, { url }]));
  return configText({ providers, more });
}

/** Replaces a file as most editors and deployment tools do: at once, by renaming. */
function replace(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

interface Running {
  readonly gateway: GatewayProcess;
  readonly url: string;
  readonly directory: string;
  readonly file: string;
  /** Writes the file and waits until it holds. @returns the new version */
  readonly apply: (text: string) => Promise<string>;
  /** Who answers now. */
  readonly askedProvider: () => Promise<string | null>;
}

async function runWith(text: string, directory = scratchDirectory()): Promise<Running> {
  const file = join(directory, "tuloy.yaml");
  writeFileSync(file, text);
  const gateway = new GatewayProcess(["start", "--port", "0"], { directory });
  const url = await gateway.listening();
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
  return {
    gateway,
    url,
    directory,
    file,
    apply: async (next) => {
      const before = gateway.log().filter(({ event }) => event === "config_applied").length;
      replace(file, next);
      const applied = await gateway.logged("config_applied", before + 1);
      return String(applied.at(-1)?.["version"]);
    },
    askedProvider: async () => {
      const { response } = await client.chat.completions
        .create({ model, messages: [{ role: "user", content: "Hi" }] })
        .withResponse();
      return response.headers.get("x-tuloy-provider");
    },
  };
}

const headers = { authorization: `Bearer ${apiKey}`, "content-type": "application/json" };
const streaming = { model, messages: [{ role: "user", content: "Hi" }], stream: true };

test("a change holds for the next request, and a stream that is open goes on with the provider that was taken away", async () => {
  const { promise: goOn, resolve: finish } = Promise.withResolvers<void>();
  const [role = "", one = "", two = "", ...rest] = chatChunks(["one ", "two"]);
  const a = await upstreamThat(
    (reply) => void reply.eventStream().chunk(role).chunk(one).wait(goOn).chunk(two).chunk(rest.join("")).end(),
  );
  const b = await upstreamThat(answersChat("from b"));
  const { url, apply, askedProvider, gateway } = await runWith(preferring({ a, b }));
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const open = collect(`${url}/v1/chat/completions`, { headers, body: streaming, onData: () => begin() });
  await begun;
  await apply(preferring({ b }));
  expect(await askedProvider()).toBe("b");
  expect(a.requests).toHaveLength(1);
  expect(a.requests[0]?.closed).toBeNull();
  finish();
  const answer = await open;
  expect(answer.ended).toBe("clean");
  expect(readChatStream(answer.body)).toMatchObject({
    text: "one two",
    terminators: 1,
    errors: [],
    ids: ["chatcmpl-1"],
  });
  expect(gateway.log().filter(({ level }) => level === "error")).toEqual([]);
});

test("a change that is not valid is reported with its place, and what held before still holds", async () => {
  const a = await upstreamThat(answersChat("from a"));
  const b = await upstreamThat(answersChat("from b"));
  const { file, gateway, directory, apply, askedProvider } = await runWith(preferring({ a }));
  replace(file, `${preferring({ b })}\nrotes: []\n`);
  const [rejected] = await gateway.logged("config_rejected");
  expect(rejected).toMatchObject({ level: "warn" });
  expect(rejected?.["msg"]).toMatch(/still holds.* tuloy\.yaml:\d+:1 rotes is not a known key; did you mean routes\?/);
  expect(await askedProvider()).toBe("a");
  expect(b.requests).toEqual([]);
  await apply(preferring({ b }));
  expect(await askedProvider()).toBe("b");
  // The same text as before: nothing to do. Then an empty file, as an editor leaves it for a moment.
  replace(file, "");
  await gateway.logged("config_rejected", 2);
  expect(await askedProvider()).toBe("b");
  gateway.signal("SIGTERM");
  await gateway.finished();
  const { stdout } = await run(["alerts", "--json"], { directory });
  expect(stdout.match(/"kind":"config_rejected"/g)).toHaveLength(2);
});

test("while the file changes again and again under load, no request fails, and each is answered by one whole answer", async () => {
  const a = await upstreamThat(answersChat("from a"));
  const b = await upstreamThat(answersChat("from b"));
  const { url, apply, gateway, directory } = await runWith(preferring({ a, b }));
  const ask = async (): Promise<string> => {
    const answer = await collect(`${url}/v1/chat/completions`, { headers, body: streaming });
    const { text, terminators } = readChatStream(answer.body);
    const whole = text === `from ${String(answer.headers["x-tuloy-provider"])}` && terminators === 1;
    return `${answer.status} ${answer.ended} ${whole ? "whole" : answer.text()}`;
  };
  const outcomes: string[] = [];
  const done = new AbortController();
  const clients = Array.from({ length: 6 }, async () => {
    while (!done.signal.aborted) outcomes.push(await ask());
  });
  const versions: string[] = [];
  for (const upstreams of [{ b, a }, { a }, { b }, { a, b }]) {
    const before = outcomes.length;
    versions.push(await apply(preferring(upstreams)));
    // Each configuration has its share of requests.
    await eventually(() => outcomes.length > before + 20, "some load");
  }
  done.abort();
  await Promise.all(clients);
  expect(new Set(outcomes)).toEqual(new Set(["200 clean whole"]));
  expect(new Set(versions).size).toBe(4);
  expect(a.requests.length).toBeGreaterThan(20);
  expect(b.requests.length).toBeGreaterThan(20);
  gateway.signal("SIGTERM");
  expect(await gateway.finished()).toMatchObject({ code: 0 });
  const { stdout } = await run(["traces", "--json", "--limit", "10000"], { directory });
  expect(stdout.trim().split("\n")).toHaveLength(outcomes.length);
});

test.each([
  ["value", "value: sk-a-secret-key", "value: sk-a-renewed-key", "sk-a-renewed-key"],
  ["name", "name: key-1, value: sk-a-secret-key", "name: renewed, value: sk-a-secret-key", "sk-a-secret-key"],
])(
  "a provider's key whose %s changes while a request is under way: its next call carries the new one, which is not blamed",
  async (_, before, after, valid) => {
    const { promise: changed, resolve: goOn } = Promise.withResolvers<void>();
    const b = await upstreamThat((reply, request) => answersError(503, null, "busy")(reply.wait(changed), request));
    const a = await upstreamThat((reply, request) =>
      request.headers["authorization"] === `Bearer ${valid}`
        ? answersChat("from a")(reply, request)
        : answersError(401, "invalid_api_key", "no such key")(reply, request),
    );
    const text = preferring({ b, a });
    expect(text).toContain(before);
    const { url, apply, askedProvider, gateway } = await runWith(text);
    const asking = collect(`${url}/v1/chat/completions`, { headers, body: streaming });
    await b.received(0);
    await apply(text.replace(before, after));
    expect(a.requests).toEqual([]);
    goOn();
    const answer = await asking;
    expect(readChatStream(answer.body)).toMatchObject({ text: "from a", terminators: 1, errors: [] });
    expect(answer.headers).toMatchObject({ "x-tuloy-provider": "a", "x-tuloy-attempts": "2" });
    // Were it in quarantine, there would be no key left to ask a with.
    expect(await askedProvider()).toBe("a");
    expect(a.requests).toHaveLength(2);
    expect(gateway.log().filter(({ event }) => event === "provider_key_quarantined")).toEqual([]);
  },
);

test("an API key that is taken out opens nothing from then on, and a new one does", async () => {
  const a = await upstreamThat(answersChat("from a"));
  const { url, apply, askedProvider } = await runWith(preferring({ a }));
  expect(await askedProvider()).toBe("a");
  const other = "another-key-of-sixteen-characters";
  await apply(preferring({ a }).replace(apiKey, other));
  await expect(askedProvider()).rejects.toMatchObject({ status: 401 });
  const renewed = new OpenAI({ baseURL: `${url}/v1`, apiKey: other, maxRetries: 0 });
  expect((await renewed.models.list()).data).toHaveLength(1);
});

test("a field that needs a restart is named, and the rest holds at once", async () => {
  const a = await upstreamThat(answersChat("from a"));
  const b = await upstreamThat(answersChat("from b"));
  const { apply, gateway, askedProvider } = await runWith(preferring({ a }));
  await apply(preferring({ b }, "server: { port: 1 }"));
  const applied = await gateway.logged("config_applied");
  expect(applied.at(-1)?.["msg"]).toContain("a restart is needed for server.port");
  expect(await askedProvider()).toBe("b");
});

test("SIGHUP reads the file again where no watch can see the change", async () => {
  const a = await upstreamThat(answersChat("from a"));
  const b = await upstreamThat(answersChat("from b"));
  // The file is a link into a directory that is itself a link, elsewhere: neither directory that is watched changes.
  const elsewhere = scratchDirectory();
  for (const [version, upstream] of [
    ["v1", { a }],
    ["v2", { b }],
  ] as const) {
    mkdirSync(join(elsewhere, version));
    writeFileSync(join(elsewhere, version, "tuloy.yaml"), preferring(upstream));
  }
  symlinkSync(join(elsewhere, "v1"), join(elsewhere, "current"));
  const directory = scratchDirectory();
  symlinkSync(join(elsewhere, "current", "tuloy.yaml"), join(directory, "linked.yaml"));
  const gateway = new GatewayProcess(["start", "--port", "0", "--config", "linked.yaml"], { directory });
  const client = new OpenAI({ baseURL: `${await gateway.listening()}/v1`, apiKey, maxRetries: 0 });
  const provider = async () => (await client.models.list()).data[0]?.owned_by;
  expect(await provider()).toBe("a");
  unlinkSync(join(elsewhere, "current"));
  symlinkSync(join(elsewhere, "v2"), join(elsewhere, "current"));
  expect(await provider()).toBe("a");
  gateway.signal("SIGHUP");
  await gateway.logged("config_applied");
  expect(await provider()).toBe("b");
  // A file that is gone is no reason to end.
  unlinkSync(join(elsewhere, "current"));
  gateway.signal("SIGHUP");
  const [failed] = await gateway.logged("config_rejected");
  expect(failed?.["msg"]).toContain("ENOENT");
  expect(await provider()).toBe("b");
});
