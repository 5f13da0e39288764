import { collect, eventually, expectClean, FakeClock, readChatStream } from "@tuloy/testkit";
import type { Collected } from "@tuloy/testkit";
import OpenAI from "openai";
import { afterEach, expect, test } from "vitest";

import { systemClock } from "../clock.ts";
import { sandboxFaults, startSandbox } from "./index.ts";
import type { Sandbox, SandboxFault, SandboxFaultName, SandboxOptions } from "./index.ts";
import { answerPieces } from "./text.ts";

const started: Sandbox[] = [];

async function sandboxWith(options: Partial<SandboxOptions> = {}): Promise<Sandbox> {
  const instant = { clock: systemClock, random: () => 0.5, tokensPerSecond: Number.POSITIVE_INFINITY, firstTokenMs: 0 };
  const sandbox = await startSandbox({ ...instant, ...options });
  started.push(sandbox);
  return sandbox;
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((sandbox) => sandbox.close()));
});

const question = { model: "any-model", messages: [{ role: "user" as const, content: "How are you?" }] };
const pieces = answerPieces("user: How are you?");
const text = pieces.join("");

function chat(sandbox: Sandbox, more: object = {}, options: Parameters<typeof collect>[1] = {}): Promise<Collected> {
  return collect(`${sandbox.url}/chat/completions`, { body: { ...question, ...more }, ...options });
}

function stream(sandbox: Sandbox, options: Parameters<typeof collect>[1] = {}): Promise<Collected> {
  return chat(sandbox, { stream: true }, options);
}

function wholeOf(sandbox: Sandbox, options: Parameters<typeof collect>[1] = {}): Promise<Collected> {
  return chat(sandbox, {}, options);
}

/** A stream that never ends by itself: what was seen of it until `enough`, after which the client leaves. */
function streamUntil(sandbox: Sandbox, enough: (seen: string) => boolean): Promise<Collected> {
  let seen = "";
  return stream(sandbox, { onData: (bytes) => !enough((seen += bytes.toString())) });
}

type Check = (sandbox: Sandbox) => Promise<void>;

const errorAnswer =
  (status: number, code: string | null, headers: Record<string, string> = {}): Check =>
  async (sandbox) => {
    const client = new OpenAI({ baseURL: sandbox.url, apiKey: "none", maxRetries: 0 });
    await expect(client.chat.completions.create(question)).rejects.toMatchObject({ status, code });
    await expect(client.embeddings.create({ model: "e", input: "hi" })).rejects.toMatchObject({ status, code });
    const answer = await stream(sandbox);
    expect(answer.headers).toMatchObject({ "content-type": "application/json", ...headers });
  };

/** What each fault does to streams and to JSON answers. Complete by its type: a new fault needs a row. */
const behaviours: Record<SandboxFaultName, Check> = {
  refuse: async (sandbox) => {
    expect((await stream(sandbox)).error).toContain("ECONNREFUSED");
  },
  reset: async (sandbox) => {
    expect(await stream(sandbox)).toMatchObject({ status: null, ended: "aborted", error: "read ECONNRESET" });
    expect(await chat(sandbox)).toMatchObject({ status: null, ended: "aborted" });
  },
  hang: (sandbox) => staysSilent(sandbox, null),
  "headers-then-silence": (sandbox) => staysSilent(sandbox, 200),
  comments: async (sandbox) => {
    const answer = await streamUntil(sandbox, (seen) => seen.split("\n\n").length > 2);
    expect(readChatStream(answer.body)).toMatchObject({ comments: ["PROCESSING", "PROCESSING"], events: [] });
    const whole = await wholeOf(sandbox, { onData: (_, soFar) => soFar < 2 });
    expect(whole.text()).toBe("  ");
  },
  "slow-first-token": async (sandbox) => {
    expect(expectClean(await stream(sandbox), text)).toEqual([]);
  },
  stall: async (sandbox) => {
    const answer = await streamUntil(sandbox, (seen) => seen.includes(JSON.stringify(pieces[4])));
    expect(readChatStream(answer.body)).toMatchObject({ text: pieces.slice(0, 5).join(""), finishReasons: [] });
    const whole = await wholeOf(sandbox, { onData: () => false });
    expect(() => whole.json()).toThrow(SyntaxError);
  },
  cut: async (sandbox) => {
    const answer = await stream(sandbox);
    expect(answer.ended).toBe("aborted");
    expect(readChatStream(answer.body)).toMatchObject({ text: pieces.slice(0, 5).join(""), finishReasons: [] });
    expect(await chat(sandbox)).toMatchObject({ status: 200, ended: "aborted" });
  },
  truncate: async (sandbox) => {
    const answer = await stream(sandbox);
    expect(answer.ended).toBe("clean");
    expect(readChatStream(answer.body)).toMatchObject({
      text: pieces.slice(0, 5).join(""),
      finishReasons: [],
      terminators: 0,
    });
    const whole = await wholeOf(sandbox);
    expect(whole.ended).toBe("clean");
    expect(() => whole.json()).toThrow(SyntaxError);
  },
  malformed: async (sandbox) => {
    const { malformed, ...rest } = readChatStream((await stream(sandbox)).body);
    expect(malformed).toHaveLength(1);
    expect(rest).toMatchObject({ text, finishReasons: ["stop"], terminators: 1 });
    expect(rest.events[6]).toBe(malformed[0]);
    const whole = await wholeOf(sandbox);
    expect([whole.status, whole.ended]).toEqual([200, "clean"]);
    expect(() => whole.json()).toThrow(SyntaxError);
  },
  "no-done": async (sandbox) => {
    expect(expectClean(await stream(sandbox), text)).toEqual(["0 terminators"]);
    expect((await chat(sandbox)).json()).toMatchObject({ choices: [{ message: { content: text } }] });
  },
  empty: async (sandbox) => {
    expect(expectClean(await stream(sandbox), "")).toEqual([]);
    expect((await chat(sandbox)).json()).toMatchObject({
      choices: [{ message: { content: "" }, finish_reason: "stop" }],
      usage: { completion_tokens: 0 },
    });
    const embeddings = await collect(`${sandbox.url}/embeddings`, { body: { model: "e", input: "hi" } });
    expect(embeddings.json()).toMatchObject({ data: [] });
  },
  html: async (sandbox) => {
    for (const answer of [await stream(sandbox), await chat(sandbox)]) {
      expect([answer.status, answer.headers["content-type"]]).toEqual([200, "text/html; charset=utf-8"]);
      expect(answer.text()).toContain("<html>");
    }
  },
  "error-event": async (sandbox) => {
    expect(readChatStream((await stream(sandbox)).body)).toMatchObject({
      text: "",
      errors: [{ type: "server_error" }],
      terminators: 0,
    });
    const whole = await wholeOf(sandbox);
    expect([whole.status, whole.json()]).toEqual([200, { error: expect.objectContaining({ type: "server_error" }) }]);
  },
  "500": errorAnswer(500, null),
  "503": errorAnswer(503, null),
  "529": errorAnswer(529, "overloaded_error"),
  "429": errorAnswer(429, "rate_limit_exceeded", { "retry-after": "2" }),
  quota: errorAnswer(429, "insufficient_quota"),
  "401": errorAnswer(401, "invalid_api_key"),
  "403": errorAnswer(403, "model_access_denied"),
  "404": errorAnswer(404, "model_not_found"),
};

async function staysSilent(sandbox: Sandbox, status: number | null): Promise<void> {
  for (const ask of [stream, wholeOf]) {
    const clock = new FakeClock();
    let head: number | null = null;
    const answer = ask(sandbox, { clock, onHead: (code) => (head = code) });
    await eventually(() => sandbox.stats.active === 1 && head === status, "the head, if there is one");
    await clock.pass(10_000);
    const { status: last, ended, body } = await answer;
    expect({ last, ended, length: body.length }).toEqual({ last: status, ended: "timeout", length: 0 });
    await eventually(() => sandbox.stats.active === 0, "the end of the work");
  }
}

const quick: Partial<Record<SandboxFaultName, SandboxFault>> = {
  "slow-first-token": { name: "slow-first-token", ms: 1 },
};

test.each(Object.keys(behaviours) as SandboxFaultName[])("%s, switched on for all", async (name) => {
  const sandbox = await sandboxWith();
  await sandbox.setFault(quick[name] ?? name);
  expect(sandbox.fault?.name).toBe(name);
  await behaviours[name](sandbox);
  await sandbox.setFault(null);
  expect(expectClean(await stream(sandbox), text)).toEqual([]);
  // Refused connections never arrive, so they cannot be counted.
  expect(Object.keys(sandbox.stats.faults)).toEqual(name === "refuse" ? [] : [name]);
});

test.each(["hang", "headers-then-silence"] as const)(
  "%s leaves nothing behind that could still answer",
  async (name) => {
    const clock = new FakeClock();
    const sandbox = await sandboxWith({ clock });
    await sandbox.setFault(name);
    const answer = stream(sandbox, { clock: new FakeClock(), onHead: () => undefined });
    await eventually(() => sandbox.stats.active === 1 && sandbox.stats.faults[name] === 1);
    expect(clock.pending).toBe(0);
    sandbox.kill();
    expect((await answer).ended).toBe("aborted");
  },
);

test("slow-first-token is as slow as it is told, and then goes on at the usual pace", async () => {
  const clock = new FakeClock();
  const sandbox = await sandboxWith({ clock, firstTokenMs: 100 });
  await sandbox.setFault({ name: "slow-first-token", ms: 3_000 });
  const answer = stream(sandbox);
  await eventually(() => clock.pending === 1);
  clock.advance(2_999);
  expect(clock.pending).toBe(1);
  clock.advance(1);
  expect(expectClean(await answer, text)).toEqual([]);
});

test("the number of tokens before a fault can be set, down to none and up to all", async () => {
  const sandbox = await sandboxWith();
  for (const [tokens, seen] of [
    [0, 0],
    [12, 12],
    [100_000, pieces.length],
  ] as const) {
    await sandbox.setFault({ name: "truncate", tokens });
    const read = readChatStream((await stream(sandbox)).body);
    expect([read.text, read.finishReasons]).toEqual([pieces.slice(0, seen).join(""), []]);
  }
  await sandbox.setFault({ name: "malformed", tokens: 100_000 });
  const read = readChatStream((await stream(sandbox)).body);
  expect([read.text, read.malformed.length, read.terminators]).toEqual([text, 1, 1]);
});

test("a time to wait that is no whole number of seconds is told in milliseconds", async () => {
  const sandbox = await sandboxWith();
  await sandbox.setFault({ name: "429", ms: 1_500 });
  const { headers } = await stream(sandbox);
  expect([headers["retry-after"], headers["retry-after-ms"]]).toEqual([undefined, "1500"]);
});

test("a request's own fault comes before the general one, and strikes it alone", async () => {
  const sandbox = await sandboxWith();
  await sandbox.setFault("503");
  const own = await stream(sandbox, { headers: { "x-sandbox-fault": "429:4000" } });
  expect([own.status, own.headers["retry-after"]]).toEqual([429, "4"]);
  expect((await stream(sandbox)).status).toBe(503);
  await sandbox.setFault(null);
  expect((await stream(sandbox)).status).toBe(200);
  expect(sandbox.stats.faults).toEqual({ "429": 1, "503": 1 });
});

test.each(["nonsense", "refuse", "503:1"])("the header's fault %s is refused with the list of all", async (name) => {
  const answer = await stream(await sandboxWith(), { headers: { "x-sandbox-fault": name } });
  expect([answer.status, answer.json()]).toEqual([400, { error: expect.objectContaining({ code: "unknown_fault" }) }]);
  expect(answer.text()).toContain("headers-then-silence");
});

const prompts = (...contents: string[]): object => ({
  stream: true,
  messages: contents.map((content, at) => ({ role: at % 2 === 0 ? "user" : "assistant", content })),
});

test("a prompt asks for a fault only where that is allowed", async () => {
  const asking = prompts("please [[fault:503]]");
  expect((await chat(await sandboxWith(), asking)).status).toBe(200);
  const sandbox = await sandboxWith({ promptFaults: true });
  expect((await chat(sandbox, asking)).status).toBe(503);
  expect((await chat(sandbox, prompts("[[fault:429:4000]]"))).headers["retry-after"]).toBe("4");
  expect((await chat(sandbox, prompts("[[fault:typo]]"))).status).toBe(400);
});

test("a fault that an earlier message asked for does not strike again", async () => {
  const sandbox = await sandboxWith({ promptFaults: true });
  expect((await chat(sandbox, prompts("[[fault:503]]", "sorry", "and now?"))).status).toBe(200);
});

test("a fault can strike some requests, or a number of them", async () => {
  const numbers = [0.1, 0.9];
  const sandbox = await sandboxWith({ random: () => numbers.shift() ?? 0 });
  // Every answer that is begun takes a number for its jitter, too: only the first two choose.
  await sandbox.setFault("503", { share: 0.5 });
  expect((await stream(sandbox)).status).toBe(503);
  numbers.unshift(0.9);
  expect((await stream(sandbox)).status).toBe(200);
  await sandbox.setFault("503", { count: 2 });
  expect([(await stream(sandbox)).status, (await stream(sandbox)).status, (await stream(sandbox)).status]).toEqual([
    503, 503, 200,
  ]);
  expect(sandbox.fault).toBeNull();
  await expect(sandbox.setFault("503", { share: 2 })).rejects.toThrow(RangeError);
});

test("the list of models stays healthy during every fault but refuse", async () => {
  const sandbox = await sandboxWith();
  for (const name of Object.keys(sandboxFaults) as SandboxFaultName[]) {
    if (name === "refuse") continue;
    await sandbox.setFault(name);
    expect((await collect(`${sandbox.url}/models`)).status).toBe(200);
  }
});

test("an answer under way is not touched by a fault that is switched on", async () => {
  const clock = new FakeClock();
  const sandbox = await sandboxWith({ clock });
  const answer = stream(sandbox);
  await eventually(() => clock.pending === 1);
  await sandbox.setFault("cut");
  clock.advance(0);
  expect(expectClean(await answer, text)).toEqual([]);
});

test.each(["kill", "refuse"])("%s drops live streams and refuses new ones; then the same port is back", async (way) => {
  const clock = new FakeClock();
  const sandbox = await sandboxWith({ clock });
  const url = sandbox.url;
  const live = stream(sandbox);
  await eventually(() => clock.pending === 1);
  if (way === "kill") sandbox.kill();
  else await sandbox.setFault("refuse");
  expect((await live).ended).toBe("aborted");
  await eventually(() => sandbox.stats.active === 0);
  expect(clock.pending).toBe(0);
  expect((await stream(sandbox)).error).toContain("ECONNREFUSED");
  await sandbox.revive();
  expect([sandbox.url, sandbox.fault]).toEqual([url, null]);
  const again = stream(sandbox);
  await eventually(() => clock.pending === 1);
  clock.advance(0);
  expect(expectClean(await again, text)).toEqual([]);
});

test("a closed sandbox does not come back", async () => {
  const sandbox = await sandboxWith();
  await sandbox.close();
  await expect(sandbox.revive()).rejects.toThrow("closed");
});

test("a port that is taken is an error at the start", async () => {
  const { url } = await sandboxWith();
  await expect(sandboxWith({ port: Number(new URL(url).port) })).rejects.toMatchObject({ code: "EADDRINUSE" });
});
