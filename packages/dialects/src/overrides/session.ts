import type { JsonObject } from "../json/value.ts";

/** Longer names are cut: a session's name only keeps its requests together. */
const longestSession = 256;

/** The session that a body names: OpenRouter's `session_id`, else OpenAI's `prompt_cache_key`. Null: none. */
export function readSession(fields: JsonObject): string | null {
  return sessionName(fields.session_id) ?? sessionName(fields.prompt_cache_key);
}

/** A session's name from wherever a client gives one, in a bounded length; null when it is none. */
export function sessionName(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value.slice(0, longestSession) : null;
}
