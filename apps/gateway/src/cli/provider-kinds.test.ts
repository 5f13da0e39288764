import { Writable } from "node:stream";

import { presetKinds } from "@tuloy/dialects";
import { describe, expect, it } from "vitest";

import type { CommandIo } from "./command-io.ts";
import { kindsCommand } from "./provider-kinds.ts";
import { providersCommand } from "./providers.ts";

async function run(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  let [code, out, err] = [0, "", ""];
  const into = (take: (text: string) => void): Writable =>
    new Writable({ write: (chunk, _, done) => (take(String(chunk)), done()) });
  const io: CommandIo = {
    stdout: into((text) => (out += text)),
    stderr: into((text) => (err += text)),
    environment: {},
    directory: ".",
    setExitCode: (given) => (code = given),
  };
  expect(kindsCommand(io).name()).toBe("kinds");
  await providersCommand(io).parseAsync(["kinds", ...words], { from: "user" });
  return { code, out, err };
}

describe("tuloy providers kinds", () => {
  it("lists every kind", async () => {
    const { out } = await run();
    const [head, ...lines] = out.trimEnd().split("\n");
    expect(head).toMatch(/^kind +dialects +continues +caching +retains +trains +verified$/);
    expect(lines.map((line) => line.split(" ")[0])).toEqual(presetKinds.toSorted());
    expect(lines.find((line) => line.startsWith("fireworks "))).toMatch(/automatic +no +no +yes$/);
  });

  it("shows all of one, with its quirks", async () => {
    const { out } = await run("ollama");
    expect(out).toMatch(/base_url +yours, like http:\/\/localhost:11434\/v1/);
    expect(out).toContain("  - A prompt that is longer than its context (num_ctx, often 4096) is cut");
    expect((await run("zai")).out).toContain("not yet: made from public facts");
  });

  it("prints JSON, an object a line", async () => {
    const all = (await run("--json")).out.trimEnd().split("\n");
    expect(all).toHaveLength(presetKinds.length);
    const one = (await run("groq", "--json")).out;
    expect(one).toMatch(/^\{\n {2}"kind": "groq",\n/);
    expect(JSON.parse(one)).toMatchObject({
      kind: "groq",
      dialects: { chat: ["openai-chat", "openai-responses"] },
      prompt_caching: "automatic",
      retains: true,
      trains: null,
      verified: true,
    });
  });

  it("knows none of another name", async () => {
    expect(await run("grok")).toMatchObject({ code: 1, out: "", err: expect.stringContaining("groq, ") as string });
  });
});
