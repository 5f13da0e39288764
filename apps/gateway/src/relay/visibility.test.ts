import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";

import { collect } from "@tuloy/testkit";
import { expect, onTestFinished, test } from "vitest";

import { systemClock } from "../clock.ts";
import { KeyRing } from "../config/key-ring.ts";
import { launch } from "../launch.ts";
import { createLog } from "../observe/log.ts";

const text = `
keys: [{ name: app, value: 0123456789abcdef }]
providers:
  rack: { kind: openai-compatible, base_url: http://127.0.0.1:9/v1, models: { house: { id: own-house }, shared: } }
  cloud: { kind: sandbox, models: { shared: } }
`;

/** A key's answers, where the file's organization has a private provider. */
async function twoOrganizations(): Promise<
  (
    key: string,
    path: string,
    body?: Readonly<Record<string, unknown>>,
  ) => Promise<{ status: number | null; text: string }>
> {
  const directory = mkdtempSync(join(tmpdir(), "tuloy-visibility-"));
  const nowhere = new Writable({ write: (_, __, done) => done() });
  const launched = await launch({
    source: { kind: "defaults", name: "f", text },
    environment: {},
    directory,
    overrides: { port: 0, dataDir: directory },
    clock: systemClock,
    random: Math.random,
    log: createLog({ stdout: nowhere, environment: {} }, "silent"),
  });
  onTestFinished(async () => {
    await launched.close(0);
    rmSync(directory, { recursive: true });
  });
  const principal = (organization: string) => ({
    organization,
    workspace: "default",
    environment: "production",
    key: organization,
  });
  const keyRing = new KeyRing([
    { ...principal("default"), value: "ours" },
    { ...principal("another"), value: "theirs" },
  ]);
  launched.config.replace({ ...launched.config.current, keyRing });
  return async (key, path, body) => {
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    const answer = await collect(`${launched.url}${path}`, {
      headers,
      ...(body === undefined ? { method: "GET" } : { body: { messages: [{ role: "user", content: "Hi" }], ...body } }),
    });
    return { status: answer.status, text: answer.body.toString() };
  };
}

test("a private provider does not exist for another organization: not in lists, not in errors, not as a backup", async () => {
  const ask = await twoOrganizations();
  expect((await ask("ours", "/v1/models")).text).toContain("house");
  expect((await ask("theirs", "/v1/models")).text).toMatch(/"shared"/);
  expect((await ask("theirs", "/v1/models")).text).not.toMatch(/house|rack/);
  expect((await ask("ours", "/v1/models/house")).status).toBe(200);
  expect((await ask("theirs", "/v1/models/house")).status).toBe(404);
  for (const model of ["house", "@rack/house", "@rack/own-house", "@rack/shared", "@rack/hous"]) {
    const refused = await ask("theirs", "/v1/chat/completions", { model });
    expect(refused.status).toBe(404);
    const { error } = JSON.parse(refused.text) as { error: { message: string } };
    // What the client wrote itself comes back; nothing else does.
    expect(error.message.replace(`"${model}"`, "")).not.toMatch(/house|rack/);
  }
  const listed = await ask("theirs", "/v1/chat/completions", { model: "shared", models: ["house"] });
  expect(listed.status).toBe(404);
  expect((await ask("theirs", "/v1/chat/completions", { model: "shared" })).status).toBe(200);
  // Nothing listens where the rack should be: only its own organization notices.
  expect((await ask("ours", "/v1/chat/completions", { model: "@rack/house" })).status).toBe(502);
});
