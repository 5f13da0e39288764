import type { Dialect, Operation } from "@tuloy/contract";

import type { Endpoint, ProviderPreset } from "./preset.ts";

type Endpoints = Pick<ProviderPreset, "endpoints">;

/**
 * Where a provider takes an operation in a dialect, for one of its ids.
 * @returns null when it does not
 */
export function endpointFor(preset: Endpoints, operation: Operation, dialect: Dialect, id: string): Endpoint | null {
  const endpoints = preset.endpoints[operation];
  if (endpoints === undefined) return null;
  for (const endpoint of endpoints) {
    if (endpoint.dialect === dialect && takes(endpoint, id)) return endpoint;
  }
  return null;
}

/** The dialects in which a provider serves one of its ids, each once, the first one first. */
export function dialectsFor(preset: Endpoints, operation: Operation, id: string): readonly Dialect[] {
  const endpoints = preset.endpoints[operation] ?? [];
  return [...new Set(endpoints.filter((endpoint) => takes(endpoint, id)).map(({ dialect }) => dialect))];
}

function takes({ idPrefix }: Endpoint, id: string): boolean {
  return idPrefix === undefined || id.startsWith(idPrefix);
}

/** An endpoint's path behind the base URL's own, for one of the provider's ids. */
export function pathOf({ path, streamPath }: Endpoint, id: string, stream: boolean): string {
  const template = stream ? (streamPath ?? path) : path;
  return template.includes("{model}") ? template.replaceAll("{model}", () => encodeURIComponent(id)) : template;
}
