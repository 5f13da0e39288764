import { randomBytes } from "node:crypto";

import type { Clock, Deployment, Dialect } from "@tuloy/contract";
import {
  completingLaneFor,
  continuationOf,
  endpointFor,
  laneFor,
  laneObstacle,
  TranslatedReading,
  translationOf,
  type AnswerReading,
  type ClientDialect,
  type Lane,
  type ReadRequest,
  type RequestFacts,
} from "@tuloy/dialects";
import type { Plan } from "@tuloy/routing";

import type { Route } from "../config/snapshot.ts";
import type { Snapshot } from "../config/snapshot.ts";
import type { Asked } from "./read.ts";
import type { SpokenAs } from "./spoken.ts";

/** The name that stands in answers, where the route does not leave it to the provider; null: it does. */
export function reportedAs({ reportModel }: Route, { model }: ReadRequest): string | null {
  return reportModel === "answered" ? null : model;
}

/** Why a deployment can't be told a request, in words; null: it can. */
type Obstacle = (deployment: Deployment) => string | null;

/**
 * What stands between a request and the deployments of its plan, as far as a plan looks: into the content only where somebody
 * must, since nobody speaks the client's dialect. Null where all do, which is the common case.
 */
export function plannedObstacles(
  { request, entry, standIns, route }: Asked,
  snapshot: Snapshot,
  spoken: SpokenAs | null,
): Obstacle | null {
  if (request.counts === true) return countingObstacle(request, snapshot, spoken);
  const { dialect, facts } = request;
  const speaking = countSpeaking(entry.deployments, dialect, spoken);
  const alone = standIns.length === 0 && (route.equivalents === "off" || route.equivalents === "never");
  if (alone && speaking === entry.deployments.length) return null;
  const thorough = speaking === 0;
  return (planned) => {
    const deployment = spoken === null ? planned : spoken(planned);
    const lane = laneFor(dialect, deployment);
    return (
      laneObstacle(dialect, deployment, lane, facts.capabilities) ??
      boundElsewhere(facts, lane) ??
      (thorough ? contentObstacle(request, lane, deployment, snapshot) : null)
    );
  };
}

/** Only some count a prompt, and only in the dialect it is written in: another would count another prompt. */
function countingObstacle(
  { dialect, operation }: ReadRequest,
  { providers }: Snapshot,
  spoken: SpokenAs | null,
): Obstacle {
  return (planned) => {
    const { provider: name, dialects, upstreamModel } = spoken === null ? planned : spoken(planned);
    const preset = dialects.includes(dialect) ? (providers.get(name)?.preset ?? null) : null;
    const endpoint = preset === null ? null : endpointFor(preset, operation, dialect, upstreamModel);
    return endpoint?.countPath === undefined ? `it counts no tokens of a request in ${dialect}` : null;
  };
}

/** What only the client's own dialect can say is no matter of its content's details: it is known from the start. */
function boundElsewhere({ bound }: RequestFacts, lane: Lane | null): string | null {
  if (bound === undefined || bound === null || lane?.kind !== "translate") return null;
  return `the request ${bound.why}, and this deployment speaks ${lane.dialect}`;
}

/** The same as far as can be known. Null where all speak the client's dialect. */
export function contentObstacles(
  request: ReadRequest,
  { candidates, equivalents }: Plan,
  snapshot: Snapshot,
  spoken: SpokenAs | null,
): Obstacle | null {
  const { dialect } = request;
  if (equivalents === undefined && countSpeaking(candidates, dialect, spoken) === candidates.length) return null;
  return (planned) => {
    const deployment = spoken === null ? planned : spoken(planned);
    return contentObstacle(request, laneFor(dialect, deployment), deployment, snapshot);
  };
}

/** All that stands between a request and one deployment, content included; null: nothing. */
export function wholeObstacle(request: ReadRequest, deployment: Deployment, snapshot: Snapshot): string | null {
  const { dialect, facts } = request;
  const lane = laneFor(dialect, deployment);
  return (
    laneObstacle(dialect, deployment, lane, facts.capabilities) ??
    boundElsewhere(facts, lane) ??
    contentObstacle(request, lane, deployment, snapshot)
  );
}

/** Every request asks this, so it makes nothing. */
function countSpeaking(deployments: readonly Deployment[], dialect: Dialect, spoken: SpokenAs | null): number {
  let count = 0;
  for (const deployment of deployments)
    if ((spoken === null ? deployment : spoken(deployment)).dialects.includes(dialect)) count++;
  return count;
}

function contentObstacle(
  request: ReadRequest,
  lane: Lane | null,
  { provider, model, upstreamModel }: Deployment,
  { providers }: Snapshot,
): string | null {
  if (lane?.kind !== "translate") return null;
  const { preset = null, continuation: way = null } = providers.get(provider) ?? {};
  const endpoint = preset === null ? null : endpointFor(preset, request.operation, lane.dialect, upstreamModel);
  const continuation = way === null ? null : continuationOf(way);
  const place = { endpoint, model: [model, upstreamModel], continuation };
  return translationOf(request, lane.client).obstacle(lane.upstream, place);
}

/** Whom an answer is read for. */
interface Reader {
  readonly dialect: ClientDialect;
  readonly clock: Clock;
}

/**
 * What reads the answers of a deployment for the client.
 * @param reportModel the name that is to stand in the answer; null: the provider's own. Heeded by translations only
 */
export function readingFor(
  request: ReadRequest,
  deployment: Deployment,
  reader: Reader,
  reportModel: string | null,
): AnswerReading {
  const lane = laneFor(request.dialect, deployment);
  return lane?.kind === "express" ? reader.dialect : translated(lane, request, deployment, reader, reportModel);
}

/** The same for a stream that completes one that broke. */
export function completingReadingFor(
  request: ReadRequest,
  deployment: Deployment,
  reader: Reader,
  reportModel: string | null,
): AnswerReading {
  const lane = completingLaneFor(request.dialect, deployment);
  return lane?.kind === "express" ? reader.dialect : translated(lane, request, deployment, reader, reportModel);
}

function translated(
  lane: Lane | null,
  request: ReadRequest,
  { id, upstreamModel }: Deployment,
  { dialect, clock }: Reader,
  reportModel: string | null,
): AnswerReading {
  if (lane?.kind !== "translate")
    throw new Error(`${id} was planned for ${request.dialect}, and there is no way to it`);
  const { upstream, client } = lane;
  return new TranslatedReading({
    upstream,
    client,
    heartbeat: dialect.heartbeat,
    context: {
      wantsUsage: request.facts.wantsUsage,
      makeId: () => randomBytes(12).toString("hex"),
      created: Math.floor(clock.wall() / 1000),
      reportModel,
      model: upstreamModel,
      get request() {
        return translationOf(request, client).body;
      },
    },
  });
}
