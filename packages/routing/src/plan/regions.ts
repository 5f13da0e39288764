/**
 * Whether a deployment in `region` computes within one of the pinned regions. Regions are hierarchical: `eu` holds
 * `eu-west-1`. One that is unknown or `global` could compute anywhere, so it is within none.
 */
export function isWithin(regions: readonly string[], region: string | null): boolean {
  if (region === null) return false;
  const where = region.toLowerCase();
  if (where === "global") return false;
  return regions.some((pinned) => holds(pinned.toLowerCase(), where));
}

function holds(pinned: string, where: string): boolean {
  return where === pinned || (where.startsWith(pinned) && where[pinned.length] === "-");
}
