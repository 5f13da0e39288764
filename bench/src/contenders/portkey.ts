import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { findProgram } from "../processes.ts";
import type { Contender } from "./contender.ts";
import { serve } from "./serve.ts";

const version = "1.15.2";
const home = fileURLToPath(new URL("../../.cache/portkey/", import.meta.url));
const program = join(home, "node_modules/@portkey-ai/gateway/build/start-server.js");

/**
 * The package's own ranges admit an adapter whose responses share the upstream's immutable headers, under which Portkey
 * answers every stream with status 500. This is the newest line found to work.
 */
const manifest = JSON.stringify({
  private: true,
  dependencies: { "@portkey-ai/gateway": version },
  overrides: { "@hono/node-server": "1.13.8" },
});

/**
 * Installs it on demand and outside the workspace, so that an ordinary `npm ci` does not carry it.
 * @returns null when it is there, or why it is not
 */
function install(): string | null {
  const manifestFile = join(home, "package.json");
  if (existsSync(program) && readFileSync(manifestFile, "utf8") === manifest) return null;
  const npm = findProgram("npm");
  if (npm === null) return "not installed: there is no npm";
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  writeFileSync(manifestFile, manifest);
  const { status, stderr } = spawnSync(
    npm,
    ["install", "--prefix", home, "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"],
    { encoding: "utf8", timeout: 120_000 },
  );
  if (status === 0 && existsSync(program)) return null;
  return `not installed: npm could not fetch it: ${stderr.trim().slice(-200)}`;
}

/** Portkey's open-source gateway, run by the same Node as Tuloy, without its log page. */
export const portkey: Contender = {
  name: "portkey",
  title: "Portkey",
  async start(site) {
    const why = install();
    if (why !== null) return { ready: false, why };
    return serve(site, {
      command: process.execPath,
      version: `Portkey ${version}`,
      args: (port) => ["--import", import.meta.resolve("./loopback-only.ts"), program, `--port=${port}`, "--headless"],
      environment: { NODE_ENV: "production" },
      headers: {
        authorization: "Bearer bench",
        "x-portkey-provider": "openai",
        "x-portkey-custom-host": `http://127.0.0.1:${site.upstreamPort}/v1`,
      },
    });
  },
};
