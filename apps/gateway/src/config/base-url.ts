import type { ProviderConfig } from "@tuloy/contract";

import { presetFor } from "./preset-for.ts";
import { withPath } from "./with-path.ts";

/** What an address may hold, written `{project}`, and the file says. */
export const placeholders = ["project", "location"] as const;

type Placed = Pick<ProviderConfig, "kind" | "base_url" | "project" | "location">;

/** A provider's address, with what the file says in its places; null for a kind without one of its own where the file gives none. */
export function baseUrlOf(provider: Placed): string | null {
  const { kind, base_url: own, location } = provider;
  const preset = presetFor(kind);
  const host = location === undefined ? undefined : preset.locationHosts?.get(location);
  const template = withPath(own, preset) ?? (host === undefined ? preset.baseUrl : withHost(preset.baseUrl, host));
  if (template === null) return null;
  return placeholders.reduce((url, place) => url.replaceAll(`{${place}}`, () => provider[place] ?? ""), template);
}

function withHost(url: string | null, host: string): string | null {
  return url?.replace(/^(https?:\/\/)[^/]*/, (_, scheme: string) => scheme + host) ?? null;
}

/** Where a provider computes: as the file says, else as its location says; null: unknown. */
export function regionOf({
  kind,
  region,
  location,
}: Pick<ProviderConfig, "kind" | "region" | "location">): string | null {
  if (region !== undefined) return region;
  if (location === undefined) return null;
  const regions = presetFor(kind).locationRegions;
  return regions === undefined ? location : (regions.get(location) ?? null);
}

/** Where one of a provider's ids is computed: an id may span more than the location that is called, and the widest holds. */
export function regionOfId(provider: Pick<ProviderConfig, "kind" | "region" | "location">, id: string): string | null {
  const { idRegions } = presetFor(provider.kind);
  // An ARN has the id behind its last slash, and before that of what kind it is.
  const parts = id.split(/[:/]/);
  for (const [begin, region] of idRegions ?? [])
    if (parts.some((part) => part.startsWith(begin))) return region ?? provider.region ?? null;
  return regionOf(provider);
}
