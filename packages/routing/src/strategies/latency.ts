import type { Deployment } from "@tuloy/contract";

import { ascending } from "./strategy.ts";
import type { OrderBy, OrderFacts } from "./strategy.ts";

/** The share of requests that go to any candidate, so that the numbers of those left aside stay fresh. */
const exploration = 0.02;
/** A deployment with calls but no answer yet: as slow as the usual first-token limit, until it has shown better. */
const unprovenMs = 10_000;

export const exploredNote = "a candidate was put first by chance, to keep the latencies fresh";

/**
 * The quickest to its first token first, by peak-EWMA × (calls in flight + 1). The first is the better of two chosen by
 * chance (P2C): were it always the best of all, every request of a moment would go there and make it the worst.
 */
export const byLatency: OrderBy = (candidates, facts) => {
  const { random } = facts;
  const scores = candidates.map((deployment) => score(deployment, facts));
  const ranked = ascending(candidates, scores);
  const explores = random() < exploration;
  const first = Math.floor(random() * candidates.length);
  if (explores) return { candidates: inFront(ranked, candidates[first]), note: exploredNote };
  // Of the others, so that the two differ.
  const other = (first + 1 + Math.floor(random() * (candidates.length - 1))) % candidates.length;
  const better = ranked.find((each) => each === candidates[first] || each === candidates[other]);
  return { candidates: inFront(ranked, better), note: null };
};

/** Nobody knows how quick an idle deployment without numbers is: the next request finds out. */
function score(deployment: Deployment, { health, stream }: OrderFacts): number {
  const pace = health.pace(deployment.id);
  const expectedMs = pace.expectedMs(stream) ?? (pace.inFlight === 0 ? 0 : unprovenMs);
  return expectedMs * (pace.inFlight + 1);
}

/** Puts one of them first and leaves the others' order. */
export function inFront(candidates: readonly Deployment[], first: Deployment | undefined): readonly Deployment[] {
  if (first === undefined || candidates[0] === first) return candidates;
  return [first, ...candidates.filter((each) => each !== first)];
}
