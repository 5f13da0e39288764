import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { gzipSync } from "node:zlib";

import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { catalogIn } from "../catalog/kept-file.ts";
import { catalogCommand } from "./catalog.ts";
import type { SyncSource } from "./catalog.ts";
import type { CommandIo } from "./command-io.ts";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tuloy-catalog-"));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

async function sync(words: string[], source?: SyncSource): Promise<{ code: number; out: string; err: string }> {
  let [code, out, err] = [0, "", ""];
  const into = (take: (text: string) => void): Writable =>
    new Writable({ write: (chunk, _, done) => (take(String(chunk)), done()) });
  const io: CommandIo = {
    stdout: into((text) => (out += text)),
    stderr: into((text) => (err += text)),
    environment: {},
    directory,
    setExitCode: (given) => (code = given),
  };
  await catalogCommand(io, source).parseAsync(["sync", ...words], { from: "user" });
  return { code, out, err };
}

/** The source with one price, and one model more. */
function document(usd = 4): string {
  const row = (name: string) => ({
    name,
    tool_call: true,
    modalities: { input: ["text"], output: ["text"] },
    limit: { context: 1_000_000, output: 128_000 },
    cost: { input: usd, output: 25 },
  });
  const models = { "claude-opus-4-8": row("Claude Opus 4.8"), "claude-opus-9": row("Claude Opus 9") };
  return JSON.stringify({
    models: { "anthropic/claude-opus-9": row("Claude Opus 9") },
    providers: { anthropic: { name: "Anthropic", models } },
  });
}

/** A server that stands for the source's address. @returns how it is reached, and the requests that it got */
async function served(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const requests: IncomingMessage["headers"][] = [];
  const server = createServer((request, response) => {
    requests.push(request.headers);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { source: { address: `http://127.0.0.1:${port}/catalog.json`, private: true }, requests };
}

/** The document above leaves Anthropic next to nothing. */
const apply = ["--yes", "--allow-removals"];

const dataDir = () => join(directory, ".tuloy");
const price = () =>
  catalogIn(dataDir())
    .catalog.offers("anthropic")
    .find(({ id }) => id === "claude-opus-4-8")?.price?.input;

describe("tuloy catalog sync", () => {
  it("shows what would change, and changes nothing", async () => {
    writeFileSync(join(directory, "new.json"), document());
    const { code, out } = await sync(["--from", "new.json"]);
    expect(code).toBe(0);
    expect(out).toContain("new models: 1\n  + claude-opus-9");
    expect(out).toContain("+ anthropic/claude-opus-9");
    expect(out).toContain("- anthropic/claude-sonnet-5");
    expect(out).toMatch(/~ anthropic\/claude-opus-4-8: input \$5 → \$4/);
    expect(out).toContain("Nothing is changed yet");
    expect(readdirSync(directory)).toEqual(["new.json"]);
    expect(price()).toBe(5);
  });

  it("with --yes keeps it in the data directory, laid over the built-in catalog", async () => {
    writeFileSync(join(directory, "new.json"), document());
    const { code, out } = await sync(["--from", "new.json", ...apply]);
    expect([code, out]).toEqual([0, expect.stringContaining("A running gateway uses it from its next start.")]);
    const { catalog, problem } = catalogIn(dataDir());
    expect(problem).toBeNull();
    expect([price(), catalog.model("claude-opus-9")?.author]).toEqual([4, "anthropic"]);
    expect(catalog.offers("openai").length).toBeGreaterThan(20);
    expect(Math.abs(Date.now() - Date.parse(catalogIn(dataDir()).kept?.at ?? ""))).toBeLessThan(60_000);
    expect((await sync(["--from", "new.json"])).out).toContain("The catalog is as the source has it.");
  });

  it("asks only for what has changed, and takes compressed answers", async () => {
    const { source, requests } = await served((request, response) => {
      if (request.headers["if-none-match"] === '"one"') return response.writeHead(304).end();
      response.writeHead(200, { etag: '"one"', "content-encoding": "gzip" });
      return response.end(gzipSync(document()));
    });
    expect((await sync(apply, source)).code).toBe(0);
    expect(price()).toBe(4);
    const before = readFileSync(join(dataDir(), "catalog.json"), "utf8");
    expect((await sync(apply, source)).out).toBe("Nothing has changed since the last sync.\n");
    expect(requests.map((headers) => headers["if-none-match"])).toEqual([undefined, '"one"']);
    expect(readFileSync(join(dataDir(), "catalog.json"), "utf8")).toBe(before);
    // The tag is of that document: another source is asked for the whole.
    writeFileSync(join(directory, "new.json"), document(3));
    await sync(["--from", "new.json", ...apply]);
    await sync([], source);
    expect(requests.at(-1)?.["if-none-match"]).toBeUndefined();
  });

  it.each<[string, (request: IncomingMessage, response: ServerResponse) => void, string]>([
    ["an error", (_, response) => response.writeHead(503).end(), "status 503"],
    ["a redirect", (_, response) => response.writeHead(302, { location: "http://127.0.0.1/" }).end(), "status 302"],
    ["a page", (_, response) => response.end("<html>"), "this is not JSON"],
    ["something else", (_, response) => response.end("{}"), "not models.dev's JSON"],
    [
      "half of it",
      (_, response) => response.writeHead(200, { "content-length": "500" }).write("{", () => response.destroy()),
      "",
    ],
    [
      "a bomb",
      (_, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(Buffer.alloc(41_000_000))),
      "",
    ],
  ])("changes nothing when the answer is %s", async (_, answer, words) => {
    const { source } = await served(answer);
    const { code, out, err } = await sync(apply, source);
    expect([code, out]).toEqual([1, ""]);
    expect(err).toContain(words);
    expect(err).toMatch(/Nothing is changed\.\n$/);
    expect(readdirSync(directory)).toEqual([]);
  });

  it("changes nothing when nobody answers", async () => {
    const { code, err } = await sync(["--yes"], { address: "http://127.0.0.1:1/catalog.json", private: true });
    expect(code).toBe(1);
    expect(err).toMatch(/could not be fetched: .*Nothing is changed\.\n$/);
  });

  it.each([
    "http://127.0.0.1:1/",
    "http://169.254.169.254/latest/",
    "http://[::ffff:10.0.0.1]/",
    "http://localhost:1/",
  ])("goes to no address inside: %s", async (address) => {
    const { code, err } = await sync(["--yes"], { address, private: false });
    expect(code).toBe(1);
    expect(err).toContain("not a public address");
  });

  it("says what of a file it cannot read", async () => {
    expect((await sync(["--from", "missing.json"])).err).toBe(
      "missing.json cannot be read (ENOENT). Nothing is changed.\n",
    );
    const broken = document().replace('"cost":{"input":4', '"cost":{"input":-4');
    writeFileSync(join(directory, "new.json"), broken);
    expect((await sync(["--from", "new.json"])).out).toContain(
      'Not understood, and left out: model "anthropic/claude-opus-9"',
    );
  });

  it("says when it takes away much, and does so only when that is asked for too", async () => {
    writeFileSync(join(directory, "new.json"), document());
    const words = /It takes away \d+ of the \d+ offers of anthropic\./;
    const shown = await sync(["--from", "new.json"]);
    expect([shown.code, shown.out]).toEqual([0, expect.stringMatching(words)]);
    expect(shown.out).toContain("say it again with --yes --allow-removals.");
    const refused = await sync(["--from", "new.json", "--yes"]);
    expect([refused.code, refused.out]).toEqual([1, ""]);
    expect(refused.err).toMatch(words);
    expect(refused.err).toMatch(/If that is right, say it with --allow-removals\. Nothing is changed\.\n$/);
    expect(readdirSync(directory)).toEqual(["new.json"]);
    expect((await sync(["--from", "new.json", ...apply])).code).toBe(0);
    // It is gone already: to sync again takes nothing away.
    expect((await sync(["--from", "new.json", "--yes"])).code).toBe(0);
  });

  it.runIf(existsSync("/dev/zero"))(
    "refuses a file without an end, and one that is longer than any source",
    async () => {
      const { code, err } = await sync(["--from", "/dev/zero"]);
      expect([code, err]).toEqual([1, "/dev/zero is neither a file nor a pipe. Nothing is changed.\n"]);
      writeFileSync(join(directory, "long.json"), "");
      truncateSync(join(directory, "long.json"), 40_000_001);
      expect((await sync(["--from", "long.json"])).err).toBe("long.json is longer than 40 MB. Nothing is changed.\n");
    },
  );

  it.runIf(existsSync("/proc/self"))("says that a data directory cannot be made, and ends", async () => {
    writeFileSync(join(directory, "new.json"), document());
    const { code, err } = await sync(["--from", "new.json", ...apply, "--data-dir", "/proc/self/x"]);
    expect(code).toBe(1);
    expect(err).toMatch(/^The data directory \/proc\/self\/x cannot be used \(ENOENT.*Nothing is changed\.\n$/);
  });

  it("prints what would change as JSON", async () => {
    writeFileSync(join(directory, "new.json"), document());
    const { out } = await sync(["--from", "new.json", "--json"]);
    expect(JSON.parse(out)).toMatchObject({
      applied: false,
      change: { addedModels: ["claude-opus-9"] },
      large_removals: [{ provider: "anthropic" }],
    });
  });
});
