import { costUsd } from "@tuloy/catalog";
import type {
  AttemptRecord,
  Deployment,
  Dialect,
  EquivalentRecord,
  Exclusion,
  FailureClass,
  Operation,
  Outcome,
  Trace,
  Usage,
} from "@tuloy/contract";
import { isTranslated, translatedNotes, type ReadRequest } from "@tuloy/dialects";
import { plannedOf, primaryOf, type Plan, type PlannedEquivalent } from "@tuloy/routing";

import type { Principal } from "../config/key-ring.ts";
import { failoverClass } from "./failover-class.ts";
import type { Asked } from "./read.ts";
import { rewriteNotes, targetOf } from "./encode.ts";
import { keptCode, withoutWords } from "./reticence.ts";
import { millis } from "./record.ts";

/** What is known of every request whose sender is known. */
export interface RequestIdentity {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly startedAtWall: number;
  readonly principal: Principal;
  readonly configVersion: string;
  readonly dialect: Dialect;
  readonly operation: Operation;
  /** The drill in whose scope it was, or null. */
  readonly drill: string | null;
}

/** What a client got that several attempts have a part in. */
export interface CompletedAnswer {
  /** The prompt once, and all that was generated for the answer. */
  readonly usage: Usage;
  /** Of the attempt that began it. */
  readonly first_token_ms: number | null;
}

/** How a request ended. What it never came to (a plan, an answer) is null. */
export interface Ending {
  readonly request: ReadRequest | null;
  readonly asked: Asked | null;
  readonly plan: Plan | null;
  readonly passedOver: readonly Exclusion[];
  readonly attempts: readonly AttemptRecord[];
  /** The attempt whose answer the client got, whole or broken. */
  readonly answered: AttemptRecord | null;
  readonly outcome: Outcome;
  readonly status: number;
  readonly code: string | null;
  readonly durationMs: number;
  readonly notes: readonly string[];
  readonly completed?: CompletedAnswer;
}

const nothing: Readonly<Record<string, string>> = Object.freeze({});

/** One finished trace. */
export function traceOf(identity: RequestIdentity, ending: Ending): Trace {
  const { principal } = identity;
  const { request, asked, plan, answered } = ending;
  const attempts = inOrder(ending.attempts);
  const reticent = asked !== null && asked.route.retention === "none";
  return {
    id: identity.id,
    started_at: identity.startedAtWall,
    organization: principal.organization,
    workspace: principal.workspace,
    environment: principal.environment,
    key: principal.key,
    operation: identity.operation,
    dialect: identity.dialect,
    stream: request?.facts.stream ?? false,
    requested_model: request?.model.slice(0, 200) ?? "",
    model: asked?.entry.model ?? null,
    route: asked?.route.name ?? null,
    config_version: identity.configVersion,
    candidates: plan?.candidates.map(({ id }) => id) ?? [],
    exclusions: plan
      ? ending.passedOver.length > 0
        ? [...plan.exclusions, ...ending.passedOver]
        : plan.exclusions
      : [],
    attempts: reticent ? attempts.map(withoutWords) : attempts,
    outcome: ending.outcome,
    status: ending.status,
    code: reticent ? keptCode(ending.code) : ending.code,
    failover: attempts.length < 2 ? null : failover(attempts, answered),
    provider: answered?.provider ?? null,
    first_token_ms: (ending.completed ?? answered)?.first_token_ms ?? null,
    duration_ms: millis(ending.durationMs),
    usage: (ending.completed ?? answered)?.usage ?? null,
    cost_usd: totalCost(attempts),
    deltas: plan && answered ? deltas(plan, attempts, answered, ending.completed) : null,
    tags: asked?.tags ?? nothing,
    notes: notesOf(asked, plan, ending),
    drill: identity.drill,
    ...(plan?.equivalents === undefined ? {} : { equivalents: plan.equivalents.map(recordEquivalent) }),
  };
}

/** By their start: of two that ran side by side the one that ended first may have begun last. */
function inOrder(attempts: readonly AttemptRecord[]): readonly AttemptRecord[] {
  return attempts.length < 2 ? attempts : attempts.toSorted((one, other) => one.started_ms - other.started_ms);
}

function failover(attempts: readonly AttemptRecord[], answered: AttemptRecord | null): FailureClass | null {
  if (answered === null) return failoverClass("twin", attempts.slice(0, -1));
  // What came after an answer that was put aside and passed on in the end led nowhere.
  const others = attempts.filter(({ ended_ms: endedMs }) => endedMs <= answered.ended_ms);
  return failoverClass(
    answered.kind,
    others.filter((attempt) => attempt !== answered),
  );
}

function recordEquivalent({ deployment, score, why }: PlannedEquivalent): EquivalentRecord {
  return { deployment: deployment.id, score, why };
}

function notesOf(asked: Asked | null, plan: Plan | null, { notes, attempts }: Ending): readonly string[] {
  if (plan === null || asked === null) return notes;
  const translation = translationNotes(asked, plan, attempts);
  if (plan.notes === undefined && translation.length === 0) return notes;
  return [...(plan.notes ?? noNotes), ...translation, ...notes];
}

const noNotes: readonly string[] = [];

/** What a deployment got otherwise than the client sent it: each deployment once, however often it was called. */
function translationNotes(
  { request, entry }: Asked,
  plan: Plan,
  attempts: readonly AttemptRecord[],
): readonly string[] {
  const rewrites = rewriteNotes(request);
  if (request.facts.parameters.length === 0 && rewrites === null && !isTranslated(request)) return noNotes;
  return plannedOf(plan).flatMap((deployment) => {
    if (!attempts.some((attempt) => attempt.deployment === deployment.id)) return noNotes;
    const notes = [...notesOn(request, deployment, entry.model), ...(rewrites?.get(deployment.id) ?? noNotes)];
    return notes.map((note) => `${deployment.id}: ${note}`);
  });
}

function notesOn(request: ReadRequest, deployment: Deployment, askedModel: string): readonly string[] {
  const translated = translatedNotes(request, deployment.id);
  if (translated !== null) return translated;
  const { withheld = noNotes } = request;
  const target = targetOf(request, deployment, askedModel);
  return target === null ? withheld : [...withheld, ...request.notes(target)];
}

/** Everything that the request cost, failed attempts included. Null when no attempt has a known cost. */
function totalCost(attempts: readonly AttemptRecord[]): number | null {
  let total: number | null = null;
  for (const { cost_usd: cost } of attempts) {
    if (cost !== null) total = (total ?? 0) + cost;
  }
  return total;
}

/** Against the primary: the first planned deployment, before anything about breakers. Null when the primary answered at once. */
function deltas(
  plan: Plan,
  attempts: readonly AttemptRecord[],
  answered: AttemptRecord,
  completed: CompletedAnswer | undefined,
): Trace["deltas"] {
  const primary = primaryOf(plan);
  if (!primary || (primary.id === answered.deployment && attempts[0] === answered)) return null;
  return {
    cost_usd: completed
      ? costDelta(primary.price, totalCost(attempts), completed.usage)
      : costDelta(primary.price, answered.cost_usd, answered.usage),
    latency_ms: millis(answered.started_ms - (attempts[0]?.started_ms ?? answered.started_ms)),
  };
}

function costDelta(
  primaryPrice: Plan["candidates"][number]["price"],
  cost: number | null,
  usage: Usage | null,
): number | null {
  return primaryPrice && cost !== null && usage ? cost - costUsd(primaryPrice, usage) : null;
}
