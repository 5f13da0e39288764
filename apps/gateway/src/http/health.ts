import type { ServerResponse } from "node:http";

import type { Relay } from "../relay/serve.ts";

/** What asks for health asks often, and at the very start: without a name in it, and without a framework. */
export const healthPaths: ReadonlyMap<string, (response: ServerResponse, relay: Relay) => void> = new Map([
  ["/healthz", (response) => answer(response, 200, "ok")],
  [
    "/readyz",
    (response, { inFlight }) =>
      inFlight.closing ? answer(response, 503, "not ready") : answer(response, 200, "ready"),
  ],
]);

function answer(response: ServerResponse, code: number, status: string): void {
  response.writeHead(code, { "content-type": "application/json; charset=utf-8" });
  response.end(JSON.stringify({ status }));
}
