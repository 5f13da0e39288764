import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

import { answersChat, answersError, eventually, readChatStream, scanFor, startUpstream } from "@tuloy/testkit";
import OpenAI from "openai";
import { describe, expect, onTestFinished, test } from "vitest";

import { GatewayProcess, run, scratchDirectory } from "../command.ts";
import type { CommandOptions } from "../command.ts";
import { apiKey, configText, model } from "../harness.ts";

/** A directory with a `tuloy.yaml`. */
function directoryWith(config: string): string {
  const directory = scratchDirectory();
  writeFileSync(join(directory, "tuloy.yaml"), config);
  return directory;
}

const sandbox = "providers:\n  one: { kind: sandbox }\n";
/** As it is printed. */
const madeKey = /tuloy_[\w-]{32}/;
const start = ["start", "--port", "0"];

/** What a refusal to start looks like: one complaint, no stack, exit code 1, and nothing of a key. */
async function refusal(args: readonly string[], options?: CommandOptions): Promise<string> {
  const { code, stdout, stderr } = await run(args, options);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).not.toMatch(/^\s+at |node:internal/m);
  expect(stderr).not.toContain("tuloy_");
  return stderr.trimEnd();
}

function clientOf(url: string, key: string): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 });
}

test("the program imports nothing before it has looked at Node's version, so that an old one can say so", () => {
  const program = readFileSync(new URL("../../apps/gateway/bin/tuloy.mjs", import.meta.url), "utf8");
  expect(program).not.toMatch(/^import\s/m);
});

describe("a configuration that cannot be used", () => {
  test("names for each mistake its line and what was probably meant, and nothing is made", async () => {
    const directory = directoryWith(`providers:
  one: { kind: sandbox, constructor: { region: eu } }
  two:
    kind: openai
    keys: [{ value: "\${TULOY_TEST_ABSENT}" }]
  __proto__: { kind: sandbox }
routes:
  - name: default
    failover:
      atempts: 3
      __proto__: { attempts: 7 }
rotes: []
__proto__: { server: { port: 1 } }
`);
    const lines = (await refusal(start, { directory })).split("\n");
    const at = (place: string) => lines.find((line) => line.startsWith(`tuloy.yaml:${place} `));
    expect(lines).toHaveLength(7);
    expect(at("2:25")).toMatch(/ providers\.one\.constructor is not a known key/);
    expect(at("5:21")).toMatch(/ providers\.two\.keys\[0\]\.value .*TULOY_TEST_ABSENT/);
    expect(at("6:3")).toMatch(/ providers\.__proto__ is not usable as a name/);
    expect(at("10:7")).toMatch(/ routes\[0\]\.failover\.atempts is not a known key; did you mean attempts\?/);
    expect(at("11:7")).toMatch(/ routes\[0\]\.failover\.__proto__ is not usable as a name/);
    expect(at("12:1")).toMatch(/ rotes is not a known key; did you mean routes\?/);
    expect(at("13:1")).toMatch(/ __proto__ is not usable as a name/);
    expect(readdirSync(directory)).toEqual(["tuloy.yaml"]);
  });

  test.each([
    ["has no providers", "server: { port: 0 }\n", "names no provider"],
    ["is no YAML", "providers: [}\n", "tuloy.yaml:1:"],
  ])("because it %s is an error, and no simulated provider steps in", async (_, config, words) => {
    expect(await refusal(start, { directory: directoryWith(config) })).toContain(words);
  });

  test("because the named file is not there is an error", async () => {
    expect(await refusal([...start, "--config", "other.yaml"])).toBe("other.yaml does not exist");
    expect(await refusal([...start, "--config", "/"])).toBe("/ is a directory");
    expect(await refusal(["check", "--config", "other.yaml"])).toBe("other.yaml does not exist");
  });
});

describe("a place that cannot be used", () => {
  test("a port that is in use: says so, and what to do", async () => {
    const port = await busyPort();
    const directory = directoryWith(sandbox);
    const message = await refusal(["start", "--port", port], { directory });
    expect(message).toContain(`127.0.0.1:${port} is in use`);
    expect(message).toContain("--port");
  });

  test("after a start that failed, the key that is made is shown by the first one that succeeds", async () => {
    const port = await busyPort();
    const directory = directoryWith(sandbox);
    await refusal(["start", "--port", port], { directory });
    const gateway = new GatewayProcess(start, { directory });
    const [key] = await gateway.printed(madeKey);
    expect(await listModels(clientOf(await gateway.listening(), key))).toBeGreaterThan(0);
  });

  test("an address that is not this machine's", async () => {
    expect(await refusal([...start, "--host", "203.0.113.7"], { directory: directoryWith(sandbox) })).toContain(
      "203.0.113.7 is not an address of this machine",
    );
  });

  test.each([
    ["a key is to be made", sandbox],
    ["the file names its keys", `keys: [{ name: app, value: ${apiKey} }]\n${sandbox}`],
  ])("a data directory that is a file, where %s", async (_, config) => {
    const directory = directoryWith(`data: { dir: records }\n${config}`);
    writeFileSync(join(directory, "records"), "a file");
    const message = await refusal(start, { directory });
    expect(message).toContain(join(directory, "records"));
    expect(message.split("\n")).toHaveLength(1);
    expect(readFileSync(join(directory, "records"), "utf8")).toBe("a file");
  });

  test.runIf(process.platform === "linux").each([
    ["a key is to be made", sandbox],
    ["the file names its keys", `keys: [{ name: app, value: ${apiKey} }]\n${sandbox}`],
  ])("a data directory that nobody can make, where %s", async (_, config) => {
    const message = await refusal([...start, "--data-dir", "/proc/tuloy"], { directory: directoryWith(config) });
    expect(message).toContain("/proc/tuloy");
    expect(message).toContain("data.dir");
    expect(message.split("\n")).toHaveLength(1);
  });

  test("records that are no database are not overwritten", async () => {
    const directory = directoryWith(sandbox);
    mkdirSync(join(directory, ".tuloy"));
    const content = "this is something else, and somebody may want it back\n".repeat(100);
    writeFileSync(join(directory, ".tuloy", "tuloy.db"), content);
    expect(await refusal(start, { directory })).toContain("is not a database");
    expect(readFileSync(join(directory, ".tuloy", "tuloy.db"), "utf8")).toBe(content);
  });
});

describe("start without a configuration", () => {
  test("refuses to listen for other machines", async () => {
    const directory = scratchDirectory();
    const message = await refusal([...start, "--host", "0.0.0.0"], { directory });
    expect(message).toContain("0.0.0.0 is not listened on");
    expect(message).toContain("tuloy.yaml");
    expect(readdirSync(directory)).toEqual([]);
  });

  test("says that answers are simulated, and prints a curl line that works as it stands", async () => {
    const gateway = new GatewayProcess(start);
    await gateway.listening();
    const [, line = ""] = await gateway.printed(/^\s*(curl .+)$/m);
    expect(gateway.stdout).toContain("two simulated providers");
    const { code, output } = await inShell(line);
    expect(code).toBe(0);
    const { text, terminators, errors, finishReasons } = readChatStream(output);
    expect({ terminators, errors, finishReasons }).toEqual({ terminators: 1, errors: [], finishReasons: ["stop"] });
    expect(text.length).toBeGreaterThan(10);
  });
});

describe("the key that is made when the file names none", () => {
  test("is printed once, kept only as a digest, and still valid after a restart", async () => {
    const directory = directoryWith(sandbox);
    const first = new GatewayProcess(start, { directory });
    const url = await first.listening();
    const key = (await first.printed(madeKey))[0];
    expect(await listModels(clientOf(url, key))).toBeGreaterThan(0);
    expect(await scanFor(key, directory)).toEqual([]);
    expect(statSync(join(directory, ".tuloy")).mode & 0o777).toBe(0o700);
    for (const file of readdirSync(join(directory, ".tuloy"))) {
      expect({ file, mode: statSync(join(directory, ".tuloy", file)).mode & 0o777 }).toEqual({ file, mode: 0o600 });
    }
    first.signal("SIGTERM");
    expect(await first.finished()).toMatchObject({ code: 0 });

    const second = new GatewayProcess(start, { directory });
    const again = await second.listening();
    expect(await listModels(clientOf(again, key))).toBeGreaterThan(0);
    expect(second.stdout).not.toMatch(madeKey);
    await expect(
      listModels(clientOf(again, `${key.slice(0, -1)}${key.endsWith("x") ? "y" : "x"}`)),
    ).rejects.toMatchObject({ status: 401 });
  });

  test("is made anew when its file is removed, and the old one is worth nothing then", async () => {
    const directory = directoryWith(sandbox);
    const first = new GatewayProcess(start, { directory });
    await first.listening();
    const key = (await first.printed(madeKey))[0];
    first.signal("SIGTERM");
    await first.finished();
    rmSync(join(directory, ".tuloy", "first-key.json"));
    const second = new GatewayProcess(start, { directory });
    const url = await second.listening();
    const other = (await second.printed(madeKey))[0];
    expect(other).not.toBe(key);
    expect(await listModels(clientOf(url, other))).toBeGreaterThan(0);
    await expect(listModels(clientOf(url, key))).rejects.toMatchObject({ status: 401 });
  });
});

describe("check and plan", () => {
  const config = `providers:
  first: { kind: openai-compatible, base_url: "https://first.example/v1", keys: [{ value: "sk-first-secret-key" }], models: { m: { price: { input: 1, output: 2 } } } }
  second: { kind: openai-compatible, base_url: "https://second.example/v1", models: { m: { id: other-m, context: 100 } } }
`;

  test("check prints the plan of every model and starts nothing", async () => {
    const directory = directoryWith(config);
    const { code, stdout, stderr } = await run(["check"], { directory });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("tuloy.yaml is valid: 2 providers, 1 model, 1 route");
    expect(stdout.indexOf("first")).toBeLessThan(stdout.indexOf("second"));
    expect(stdout).not.toContain("sk-first");
    expect(readdirSync(directory)).toEqual(["tuloy.yaml"]);
  });

  test("check --json says what is wrong in a form that a program reads, and ends with 1", async () => {
    const { code, stdout } = await run(["check", "--json"], { directory: directoryWith(`${config}rotes: []\n`) });
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      valid: false,
      problems: [{ file: "tuloy.yaml", line: 4, column: 1, path: "rotes" }],
    });
  });

  test("plan MODEL --json lists candidates in order, and each excluded one with its reason", async () => {
    const directory = directoryWith(config);
    const plan = await run(["plan", "m", "--json", "--tokens", "5000"], { directory });
    expect(plan.code).toBe(0);
    expect(JSON.parse(plan.stdout)).toMatchObject({
      requested: "m",
      model: "m",
      lock: null,
      route: "default",
      candidates: [{ deployment: "first/m" }],
      exclusions: [{ deployment: "second/m", reason: "context" }],
    });
    const locked = await run(["plan", "@second/other-m", "--json"], { directory });
    expect(JSON.parse(locked.stdout)).toMatchObject({
      lock: "second",
      candidates: [{ deployment: "second/m" }],
      exclusions: [{ deployment: "first/m", reason: "locked_elsewhere" }],
    });
  });

  test("plan of a model that nobody serves ends with 1 and names the nearest", async () => {
    const directory = directoryWith(config.replaceAll(" m: ", " my-model: "));
    expect(await refusal(["plan", "my-modle"], { directory })).toContain("my-model");
  });

  test.each([
    ["--prot", "1"],
    ["--port", "99999"],
    ["--grace", "soon"],
  ])("a flag that is none, or holds nonsense, is refused in words: start %s %s", async (...flags) => {
    const { code, stderr } = await run(["start", ...flags]);
    expect(code).toBe(1);
    expect(stderr).toContain("error:");
  });
});

describe("traces and alerts", () => {
  test("are read while the gateway runs and after it has ended", async () => {
    const a = await startUpstream(answersError(503, null, "busy"));
    const b = await startUpstream(answersChat("hello there"));
    onTestFinished(async () => {
      await a.close();
      await b.close();
    });
    const providers = { a: { url: a.url }, b: { url: b.url } };
    const directory = directoryWith(
      configText({ providers, failover: "breaker: { failures: 1, open: 1m, open_max: 1m }" }),
    );
    const gateway = new GatewayProcess(start, { directory });
    const client = clientOf(await gateway.listening(), apiKey);
    const { response } = await client.chat.completions
      .create({ model, messages: [{ role: "user", content: "Hi" }] })
      .withResponse();
    const id = response.headers.get("x-tuloy-trace-id") ?? "";
    await gateway.logged("failed_over");

    const listed = await eventually(
      async () => {
        const { stdout } = await run(["traces", "--json"], { directory });
        return stdout === "" ? undefined : stdout;
      },
      "a recorded trace",
      10_000,
    );
    expect(
      listed
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).toMatchObject([{ id, model, outcome: "succeeded", failover: "overloaded", provider: "b", attempts: 2 }]);

    gateway.signal("SIGTERM");
    await gateway.finished();
    const shown = await run(["traces", id, "--json"], { directory });
    expect(JSON.parse(shown.stdout)).toMatchObject({
      id,
      key: "app",
      attempts: [
        { deployment: `a/${model}`, failure: "overloaded", status: 503, key: "key-1" },
        { deployment: `b/${model}`, failure: null, status: 200 },
      ],
    });
    const timeline = await run(["traces", id.slice(0, 14)], { directory });
    expect(timeline.code).toBe(0);
    expect(timeline.stdout).toContain(id);
    expect(timeline.stdout).toContain("overloaded");
    const table = await run(["traces"], { directory });
    expect(table.stdout).toContain(id.slice(0, 14));
    expect(await refusal(["traces", "ffffff"], { directory })).toContain("ffffff");
    const alerts = await run(["alerts", "--json"], { directory });
    expect(
      alerts.stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).toMatchObject([{ kind: "breaker_opened", subject: `a/${model}` }]);
  });

  test("of a directory where nothing was recorded yet are asked for in vain, in words", async () => {
    const directory = scratchDirectory();
    expect(await refusal(["traces"], { directory })).toContain("Nothing is recorded");
    expect(readdirSync(directory)).toEqual([]);
  });
});

async function busyPort(): Promise<string> {
  const other = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void other.close());
  await once(other, "listening");
  const address = other.address();
  if (typeof address !== "object" || address === null) throw new Error("it listens on no port");
  return String(address.port);
}

async function listModels(client: OpenAI): Promise<number> {
  return (await client.models.list()).data.length;
}

async function inShell(line: string): Promise<{ code: number | null; output: Buffer }> {
  const child = spawn("sh", ["-c", `${line} --silent --fail-with-body`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const pieces: Buffer[] = [];
  child.stdout.on("data", (bytes: Buffer) => pieces.push(bytes));
  const code = await new Promise<number | null>((resolve) => void child.on("close", resolve));
  return { code, output: Buffer.concat(pieces) };
}
