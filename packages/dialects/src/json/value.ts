/** A parsed JSON object. `__proto__` and the like are its own members, put there as data by `JSON.parse`. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A string that says something, or null. */
export function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

/** What something of a dialect calls itself, for a note: short, and never more than a string can say. */
export function calledBy(type: unknown): string {
  return typeof type === "string" ? type.slice(0, 60) : "no name";
}

/** A count that makes sense (finite, not negative), or null. */
export function count(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : null;
}

/** Parses, or gives undefined (which no JSON is) for what is not JSON. */
export function parseJson(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch {
    return undefined;
  }
}
