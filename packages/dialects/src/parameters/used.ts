import type { ScannedObject } from "../json/strip.ts";
import type { JsonObject } from "../json/value.ts";

/**
 * Members that are the request itself, or say who asks, rather than how the answer shall be made. Everything else is a
 * parameter, whether it is known here or not.
 */
const noParameters: ReadonlySet<string> = new Set([
  "model",
  "messages",
  "input",
  "stream",
  "stream_options",
  "user",
  "prompt_cache_key",
]);

const nothing: readonly string[] = [];

/** Up to so many names a list is looked through; beyond, where no honest request is, it would take a time that grows with its square. */
const listed = 32;

/** The parameters a body sets, in their order. One that is null is not set, and one answer is what everybody gives. */
export function usedParameters({ members }: ScannedObject, fields: JsonObject): readonly string[] {
  let used: string[] | null = null;
  let many: Set<string> | null = null;
  for (const { key } of members) {
    if (noParameters.has(key) || fields[key] === null || (key === "n" && fields[key] === 1)) continue;
    if (used === null) used = [key];
    else if (used.length >= listed) many = (many ?? new Set(used)).add(key);
    else if (!used.includes(key)) used.push(key);
  }
  if (many !== null) return [...many];
  return used ?? nothing;
}
