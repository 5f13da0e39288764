import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { findProgram } from "../processes.ts";
import type { Contender } from "./contender.ts";
import { serve } from "./serve.ts";

const configuration = (port: number, upstreamPort: number) => `
global
  nbthread 1
  maxconn 8192
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend bench
  bind 127.0.0.1:${port}
  default_backend upstream
backend upstream
  server mock 127.0.0.1:${upstreamPort}
`;

/** The floor: what relaying an HTTP request costs at the least. One thread, kept-alive connections, no log. */
export const haproxy: Contender = {
  name: "haproxy",
  title: "HAProxy",
  async start(site) {
    const command = findProgram("haproxy");
    if (command === null) return { ready: false, why: "not installed" };
    const version = /version ([\d.]+)/.exec(spawnSync(command, ["-v"], { encoding: "utf8" }).stdout)?.[1] ?? "";
    const file = join(site.directory, "haproxy.cfg");
    return serve(site, {
      command,
      version: `HAProxy ${version}`,
      args: (port) => {
        writeFileSync(file, configuration(port, site.upstreamPort));
        return ["-db", "-f", file];
      },
    });
  },
};
