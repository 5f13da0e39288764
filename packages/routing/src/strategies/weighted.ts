import type { Deployment } from "@tuloy/contract";

import { ascending } from "./strategy.ts";
import type { OrderBy, OrderFacts } from "./strategy.ts";

/**
 * By share, without replacement: each candidate draws an exponential time whose rate is its weight, and the earliest comes
 * first. So the first is chosen by the weights, and what a failed one leaves is divided among the others by theirs.
 *
 * Where there is a session the draw is a hash of it and the deployment (rendezvous hashing): a session keeps its
 * deployment, and when one comes or goes only the sessions that it gains or loses move.
 */
export const byWeight: OrderBy = (candidates, facts) => {
  const times = candidates.map((deployment) => {
    const weight = shareOf(deployment, candidates, facts.weights);
    // A backup without a share is behind all that have one, as listed.
    return weight === 0 ? Infinity : -Math.log(1 - drawn(deployment, facts)) / weight;
  });
  return { candidates: ascending(candidates, times), note: null };
};

/** A provider's weight, divided among its candidates. */
export function shareOf(
  deployment: Deployment,
  candidates: readonly Deployment[],
  weights: ReadonlyMap<string, number> | null,
): number {
  const { provider } = deployment;
  const weight = weights === null ? 1 : (weights.get(provider) ?? 0);
  let own = 0;
  for (const candidate of candidates) if (candidate.provider === provider) own += 1;
  return own > 1 && weights !== null ? weight / own : weight;
}

/** 0 ≤ x < 1: the same for the same session and deployment, else by chance. */
function drawn({ id }: Deployment, { session, random }: OrderFacts): number {
  return session === null ? random() : mixed(hashed(session, hashed(id, offset))) / 2 ** 32;
}

const offset = 0x811c9dc5;
const prime = 0x01000193;

/** FNV-1a over UTF-16 units: short, fast, and no secret is at stake. */
function hashed(text: string, seed: number): number {
  let hash = seed;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), prime);
  return hash >>> 0;
}

/** MurmurHash3's finalizer: FNV alone leaves the high bits of texts that differ only at their ends alike. */
function mixed(hash: number): number {
  let mixing = hash ^ (hash >>> 16);
  mixing = Math.imul(mixing, 0x85ebca6b);
  mixing ^= mixing >>> 13;
  mixing = Math.imul(mixing, 0xc2b2ae35);
  return (mixing ^ (mixing >>> 16)) >>> 0;
}
