import { fileURLToPath } from "node:url";

import type { Contender } from "./contender.ts";
import { serve } from "./serve.ts";

/** `bare-node.ts`, as a process of its own. */
export const bareNode: Contender = {
  name: "bare-node",
  title: "bare Node + undici",
  start: async (site) =>
    serve(site, {
      command: process.execPath,
      version: `Node ${process.versions.node}`,
      args: (port) => [fileURLToPath(import.meta.resolve("./bare-node.ts")), String(port), String(site.upstreamPort)],
    }),
};
