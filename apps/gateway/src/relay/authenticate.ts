import type { IncomingHttpHeaders } from "node:http";

import { clientError, type ClientError } from "@tuloy/contract";

import type { KeyRing, Principal } from "../config/key-ring.ts";

/** Who is asking, by `Authorization: Bearer …` or `x-api-key`. */
export function authenticate(headers: IncomingHttpHeaders, keyRing: KeyRing): Principal | ClientError {
  const presented = presentedKey(headers);
  if (presented === null) {
    return clientError(
      "invalid_api_key",
      'No API key was sent. Send "Authorization: Bearer <key>" (or "x-api-key: <key>") with a key of this gateway.',
    );
  }
  return (
    keyRing.find(presented) ??
    clientError(
      "invalid_api_key",
      "This API key is not one of this gateway's. It takes its own keys (`keys:` in tuloy.yaml), not those of a provider.",
    )
  );
}

function presentedKey(headers: IncomingHttpHeaders): string | null {
  const { authorization } = headers;
  if (authorization !== undefined && /^bearer /i.test(authorization)) return authorization.slice(7).trim() || null;
  const key = headers["x-api-key"];
  return typeof key === "string" && key !== "" ? key : null;
}
