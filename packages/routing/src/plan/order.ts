import type { Deployment } from "@tuloy/contract";

import { orders, sortingOf } from "../strategies/index.ts";
import { inFront } from "../strategies/latency.ts";
import type { PlanContext, PlanInput } from "./shapes.ts";

const stayedNote = "the session stays with the deployment that answered it last";

/** Candidates in the order that the request's own wishes, its session and the route's strategy come to. */
export function inOrder(
  candidates: readonly Deployment[],
  input: PlanInput,
  context: PlanContext,
  notes: string[],
): readonly Deployment[] {
  if (candidates.length < 2) return candidates;
  const { overrides, base } = input;
  const sorting = sortingOf(base.policy.strategy, overrides);
  const { candidates: ordered, note } = orders[sorting](candidates, {
    inputTokens: input.inputTokens,
    maxOutputTokens: input.maxOutputTokens,
    stream: input.stream,
    session: input.session,
    weights: base.policy.weights,
    health: context.health,
    random: context.random,
    estimate: context.estimate,
  });
  if (overrides?.order) return named(ordered, overrides.order);
  const kept = input.affinity === null ? undefined : keptDeployment(ordered, input.affinity, context);
  if (kept !== undefined) {
    notes.push(stayedNote);
    return inFront(ordered, kept);
  }
  if (note !== null) notes.push(note);
  return ordered;
}

/** The deployment that a session stays with, while its breaker is closed and one of its keys is usable. */
function keptDeployment(
  candidates: readonly Deployment[],
  session: string,
  { health, now }: PlanContext,
): Deployment | undefined {
  const id = health.affinity.deploymentOf(session);
  if (id === null) return undefined;
  const deployment = candidates.find((each) => each.id === id);
  if (deployment === undefined || !health.breaker(id).isClosed) return undefined;
  return health.keyPool(deployment.provider).usable(id, now) ? deployment : undefined;
}

/** The named providers' deployments first, in that order. */
function named(candidates: readonly Deployment[], order: readonly string[]): readonly Deployment[] {
  const first = order.flatMap((provider) => candidates.filter((deployment) => deployment.provider === provider));
  return [...new Set([...first, ...candidates])];
}
