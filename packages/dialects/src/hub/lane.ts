import type { Capability, Deployment, Dialect } from "@tuloy/contract";

import type { ClientCodec, UpstreamCodec } from "./codec.ts";
import { clientCodec, upstreamCodec } from "./codecs.ts";

/** Both speak the same dialect: a request goes on with only what must change changed, and the answer as it comes. */
interface Express {
  readonly kind: "express";
  readonly dialect: Dialect;
}

/** A request is written anew in another dialect, and its answer in the client's. */
export interface Translate {
  readonly kind: "translate";
  /** The deployment's. */
  readonly dialect: Dialect;
  readonly client: ClientCodec;
  readonly upstream: UpstreamCodec;
}

/** How a request gets to a deployment and its answer back. */
export type Lane = Express | Translate;

type Spoken = Pick<Deployment, "dialects">;

/** Made once for each pair that comes up, so that a request has nothing to make. */
const lanes = new Map<string, Lane | null>();

/**
 * The lane from a client's dialect to a deployment: express where the deployment speaks it, else into the first of its dialects that
 * is translated into.
 * @returns null where there is no way
 */
export function laneFor(client: Dialect, { dialects }: Spoken): Lane | null {
  const [first] = dialects;
  if (first === undefined) return null;
  if (first === client || dialects.includes(client))
    return known(client, client, () => ({ kind: "express", dialect: client }));
  for (const dialect of dialects) {
    const lane = translating(client, dialect);
    if (lane !== null) return lane;
  }
  return null;
}

/**
 * The lane of a stream that completes one that broke. OpenAI's chat dialect completes its own streams as they come; every other
 * dialect's go through the hub, even into the same dialect, since what was sent has to be taken out of them.
 */
export function completingLaneFor(client: Dialect, deployment: Spoken): Lane | null {
  const lane = laneFor(client, deployment);
  return lane?.kind === "express" && client !== "openai-chat" ? translating(client, client) : lane;
}

/** Why a request can't take a lane, as far as is known without a look at its content; null: it can. */
export function laneObstacle(
  client: Dialect,
  { dialects }: Spoken,
  lane: Lane | null,
  used: readonly Capability[],
): string | null {
  if (lane === null) return `the request is in ${client}, which is not translated into ${dialects.join(" or ")}`;
  if (lane.kind === "express") return null;
  const lacking = used.find((capability) => !lane.upstream.expresses.has(capability));
  return lacking === undefined
    ? null
    : `the request uses ${lacking}, and this deployment speaks ${lane.dialect}, which has no words for it`;
}

function translating(client: Dialect, dialect: Dialect): Lane | null {
  return known(
    client,
    dialect,
    () => {
      const from = clientCodec(client);
      const into = upstreamCodec(dialect);
      return from === null || into === null ? null : { kind: "translate", dialect, client: from, upstream: into };
    },
    "translate",
  );
}

function known(client: Dialect, dialect: Dialect, make: () => Lane | null, how = "express"): Lane | null {
  const key = `${how} ${client} ${dialect}`;
  let lane = lanes.get(key);
  if (lane === undefined) lanes.set(key, (lane = make()));
  return lane;
}
