import type { ConfigIssue, ProviderConfig } from "@tuloy/contract";
import { isWithin } from "@tuloy/routing";

import { presetFor } from "../preset-for.ts";
import { issue, type IssuePath } from "./issue.ts";

type Claiming = Pick<ProviderConfig, "kind" | "base_url" | "region" | "location">;

/**
 * A `region` that is not where the location is. A route that pins the region would send requests out of it, and nobody would see.
 * `refused`: it can't be meant, since the kind's other locations are called so. What is only called otherwise (`uk` for a location in
 * `gb`), or is asked at an address of the file's own, is a warning: then the file may know better.
 */
export interface RegionClaim {
  readonly refused: boolean;
  readonly issue: ConfigIssue;
}

/** @returns null where nothing contradicts the file */
export function regionClaim(path: IssuePath, provider: Claiming): RegionClaim | null {
  const { kind, base_url: baseUrl, region, location } = provider;
  const regions = presetFor(kind).locationRegions;
  if (region === undefined || location === undefined || regions === undefined) return null;
  const actual = regions.get(location);
  if (actual === undefined || actual === region.toLowerCase() || isWithin([region], actual)) return null;
  const known = region.toLowerCase() === "global" || [...regions.values()].some((place) => isWithin([region], place));
  const narrower = isWithin([actual], region);
  const refused = baseUrl === undefined && (known || narrower);
  const where = `is ${region}, but location ${location} computes in ${actual}`;
  const message = refused
    ? `${where}: a route pinned to ${region} would leave it; leave region out, or write a location in ${region}`
    : `${where}: routes go by ${region}; leave it out to go by ${actual}`;
  return { refused, issue: issue([...path, "region"], message) };
}
