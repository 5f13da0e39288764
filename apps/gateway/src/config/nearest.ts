import { closestMatch } from "leven";

/** Beyond this, comparing costs more than a suggestion is worth, and what was typed is no slip of a name. */
const longestCompared = 80;

/** How many slips still leave a name recognisable: one in three characters, at least two. */
function tolerance(typed: string): number {
  return Math.max(2, Math.floor(typed.length / 3));
}

/** The candidate that was probably meant, or null when none is near. */
export function nearest(typed: string, candidates: readonly string[]): string | null {
  if (typed.length > longestCompared || candidates.length === 0) return null;
  return closestMatch(typed, candidates, { maxDistance: tolerance(typed) }) ?? null;
}

/** Up to `count` near candidates, the nearest first. */
export function nearestFew(typed: string, candidates: readonly string[], count: number): string[] {
  const left = [...candidates];
  const found: string[] = [];
  while (found.length < count) {
    const next = nearest(typed, left);
    if (next === null) break;
    found.push(next);
    left.splice(left.indexOf(next), 1);
  }
  return found;
}
