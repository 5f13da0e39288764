import { dialects, type Capability, type Deployment, type Dialect } from "@tuloy/contract";

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

const express = new Map<Dialect, Express>(dialects.map((dialect) => [dialect, { kind: "express", dialect }]));

/** Made once for each pair that comes up, so that a request has nothing to make. */
const translations = new Map<string, Translate | null>();

/**
 * The lane from a client's dialect to a deployment: express where the deployment speaks it, else into the first of its dialects that
 * is translated into.
 * @returns null where there is no way
 */
export function laneFor(client: Dialect, deployment: Spoken): Lane | null {
  if (deployment.dialects.includes(client)) return express.get(client) ?? null;
  for (const dialect of deployment.dialects) {
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
  deployment: Spoken,
  lane: Lane | null,
  used: readonly Capability[],
): string | null {
  if (lane === null)
    return `the request is in ${client}, which is not translated into ${deployment.dialects.join(" or ")}`;
  if (lane.kind === "express") return null;
  const lacking = used.find((capability) => !lane.upstream.expresses.has(capability));
  return lacking === undefined
    ? null
    : `the request uses ${lacking}, and this deployment speaks ${lane.dialect}, which has no words for it`;
}

function translating(client: Dialect, dialect: Dialect): Translate | null {
  const key = `${client} ${dialect}`;
  let lane = translations.get(key);
  if (lane === undefined) {
    const from = clientCodec(client);
    const into = upstreamCodec(dialect);
    lane = from === null || into === null ? null : { kind: "translate", dialect, client: from, upstream: into };
    translations.set(key, lane);
  }
  return lane;
}
