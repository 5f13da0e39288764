import { clientError, type ClientError } from "@tuloy/contract";
import type { Bound } from "@tuloy/dialects";
import type { ResponsePlace } from "@tuloy/store";

import type { Snapshot } from "../config/snapshot.ts";
import type { Asked } from "../relay/read.ts";
import type { ResponsePlaces } from "./places.ts";
import { unknownId, unreachable } from "./unknown.ts";

/**
 * Locks a request that goes on from something to the provider that keeps it, and to the key under which it does. There is no
 * failover from there: whoever else would be asked knows nothing of it.
 */
export async function pinned(
  asked: Asked,
  bound: Bound,
  places: ResponsePlaces,
  snapshot: Snapshot,
): Promise<Asked | ClientError> {
  let fresh = false;
  let pin: { readonly id: string; readonly place: ResponsePlace } | null = null;
  // A request can name one as often as it likes, and each is looked up.
  const ids = new Set(bound.kept);
  if (ids.size > mostIds) return tooMany(ids.size, bound.param);
  for (const id of ids) {
    const found = await places.find(asked.principal, id);
    if (!found.ok) return unread;
    const place = found.value;
    // A conversation is made at its provider, and first seen here when it is gone on with; each time it is the environment's for
    // longer. Whose it is can't be known where nothing may be recorded.
    const claimable = id === bound.conversation && asked.route.retention !== "none";
    if (place === null && !claimable) return unknownId(id, bound.param);
    if (claimable) {
      const claimed = await places.claim(asked.principal, id);
      if (!claimed.ok) return unread;
      if (!claimed.value) return unknownId(id, bound.param);
    }
    if (place === null) {
      fresh = true;
      continue;
    }
    if (pin !== null && pin.place.provider !== place.provider) {
      return clientError(
        "invalid_request",
        `What this request goes on from is kept at two providers: "${pin.id}" at ${pin.place.provider}, "${id.slice(0, 100)}" at ${place.provider}.`,
        { param: bound.param },
      );
    }
    pin ??= { id, place };
  }
  // Made at its provider, by nobody knows whom.
  const named = fresh ? { ...asked, stored: asked.stored ?? { param: "conversation", what: "a conversation" } } : asked;
  if (pin !== null) return locked(named, pin.id, pin.place, bound.param, snapshot);
  return fresh ? { ...named, noFailover: true } : named;
}

/** More than any conversation has items that are kept; a look-up takes a tenth of a millisecond. */
const mostIds = 1000;

function tooMany(ids: number, param: string): ClientError {
  const message = `This request goes on from ${ids} things that are kept at a provider; ${mostIds} is the most. Send the conversation itself instead.`;
  return clientError("invalid_request", message, { param });
}

const unread = clientError("internal_error", "The records of kept responses cannot be read now: try again.", {
  retryAfterMs: 1000,
  status: 503,
});

function locked(
  asked: Asked,
  id: string,
  { provider, key }: ResponsePlace,
  param: string,
  snapshot: Snapshot,
): Asked | ClientError {
  const configured = snapshot.providers.get(provider);
  if (configured === undefined) return unreachable(id, provider, "it is not configured any more", param);
  if (configured.keys.length > 0 && !configured.keys.some(({ name }) => name === key))
    return unreachable(id, provider, `its key ${key}, under which it is kept, is not configured any more`, param);
  if (!asked.entry.deployments.some((deployment) => deployment.provider === provider))
    return unreachable(id, provider, `that does not serve ${asked.entry.model}`, param);
  if (asked.lock !== null && asked.lock !== provider)
    return unreachable(id, provider, `the request asks for ${asked.lock}`, param);
  return { ...asked, lock: provider, affinity: null, noFailover: true, onlyKey: key };
}
