import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { findProgram } from "../processes.ts";
import type { Contender } from "./contender.ts";
import { serve } from "./serve.ts";

const temporaryKinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] as const;

// Buffering is off both ways: a gateway must pass on each event at once, and a large prompt must not go through a file.
const configuration = (directory: string, port: number, upstreamPort: number) => `
daemon off;
master_process off;
pid ${directory}/nginx.pid;
error_log ${directory}/error.log;
events { worker_connections 8192; }
http {
  access_log off;
  client_max_body_size 32m;
  keepalive_requests 1000000000;
  ${temporaryKinds.map((kind) => `${kind}_temp_path ${directory}/${kind};`).join("\n  ")}
  upstream mock {
    server 127.0.0.1:${upstreamPort};
    keepalive 256;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://mock;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_request_buffering off;
    }
  }
}
`;

/** A second floor: one worker, kept-alive connections, no log. */
export const nginx: Contender = {
  name: "nginx",
  title: "nginx",
  async start(site) {
    const command = findProgram("nginx");
    if (command === null) return { ready: false, why: "not installed" };
    const version = /nginx\/([\d.]+)/.exec(spawnSync(command, ["-v"], { encoding: "utf8" }).stderr)?.[1] ?? "";
    const file = join(site.directory, "nginx.conf");
    return serve(site, {
      command,
      version: `nginx ${version}`,
      args: (port) => {
        writeFileSync(file, configuration(site.directory, port, site.upstreamPort));
        return ["-p", site.directory, "-e", join(site.directory, "error.log"), "-c", file];
      },
    });
  },
};
