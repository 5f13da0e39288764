import type { Dialect, Operation } from "@tuloy/contract";

import { splice } from "../json/splice.ts";
import { stripMembers } from "../json/strip.ts";
import { scanTopLevel } from "../json/top-level.ts";
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

/** A body as an endpoint wants it. No byte changes but those of its members. @returns `body` itself where it has no wish */
export function bodyFor({ body: wish }: Endpoint, body: Buffer): Buffer {
  if (wish === undefined) return body;
  const scanned = scanTopLevel(body, Infinity);
  if (scanned.kind !== "object") return body;
  const { without = [], set = {}, rename = {} } = wish;
  const { members, bodyStart } = scanned;
  const renamed = members.filter(({ key }) => Object.hasOwn(rename, key));
  const left = stripMembers(
    { body, members, bodyStart },
    (key) => without.includes(key) || renamed.some((member) => member.key === key),
  );
  const added = new Map(Object.entries(set).map(([key, value]) => [key, JSON.stringify(value)]));
  for (const { key, start, end } of renamed) added.set(rename[key] ?? key, body.toString("utf8", start, end));
  for (const { key } of left.members) added.delete(key);
  if (added.size === 0) return left.body;
  // All that is added stands before the first member.
  const text = [...added].map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(",");
  const separator = left.members.length > 0 ? "," : "";
  return splice(left.body, [{ start: bodyStart, end: bodyStart, text: text + separator }]);
}
