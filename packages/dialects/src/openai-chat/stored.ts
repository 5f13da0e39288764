import { stored, storedAny, storedAt, storedIn } from "../json/stored.ts";
import { isObject, type JsonObject } from "../json/value.ts";
import type { StoredId } from "../request.ts";

/** What of a chat request is stored in the account of whoever answers it. Null: nothing. */
export function storedByChat(fields: JsonObject): StoredId | null {
  return (
    storedIn(fields.messages, "messages", ofMessage) ??
    storedIn(fields.tools, "tools", (tool, param) =>
      storedAny(`${param}.vector_store_ids`, "a vector store", tool.vector_store_ids),
    ) ??
    storedIn(fields.data_sources, "data_sources", ofDataSource) ??
    ofGoogle(fields, "")
  );
}

function ofMessage({ audio, content }: JsonObject, param: string): StoredId | null {
  // An answer that was spoken is named by its id when the conversation goes on.
  const spoken = isObject(audio) ? stored(`${param}.audio.id`, "an audio answer", audio.id) : null;
  return spoken ?? storedIn(content, `${param}.content`, ofPart);
}

/** Members of parts that hold what the part is of: OpenAI's, and those of servers that take more kinds. */
const holders = ["file", "image_url", "video_url", "document_url", "audio_url"] as const;

function ofPart(part: JsonObject, param: string): StoredId | null {
  const own = stored(`${param}.file_id`, "a file", part.file_id);
  if (own !== null) return own;
  for (const holder of holders) {
    const held = part[holder];
    const at = `${param}.${holder}`;
    const found = isObject(held)
      ? (stored(`${at}.file_id`, "a file", held.file_id) ??
        storedAt(`${at}.url`, held.url) ??
        storedAt(`${at}.file_data`, held.file_data) ??
        storedAt(`${at}.file_url`, held.file_url))
      : storedAt(at, held);
    if (found !== null) return found;
  }
  return null;
}

/**
 * Azure searches where its own identity may, unless the request brings a key
 * (https://learn.microsoft.com/azure/ai-foundry/openai/references/on-your-data).
 */
function ofDataSource({ parameters }: JsonObject, param: string): StoredId | null {
  const authentication = isObject(parameters) ? parameters.authentication : null;
  const type = isObject(authentication) ? authentication.type : null;
  const bringsKey = typeof type === "string" && !type.endsWith("managed_identity");
  return bringsKey ? null : { param, what: "a data source" };
}

/** Google's own members of its OpenAI-compatible API (https://ai.google.dev/gemini-api/docs/openai). */
function ofGoogle(fields: JsonObject, prefix: string): StoredId | null {
  for (const name of ["cached_content", "cachedContent"]) {
    const found = stored(`${prefix}${name}`, "cached content", fields[name]);
    if (found !== null) return found;
  }
  for (const name of ["google", "extra_body"]) {
    const inner = prefix.includes(name) ? null : fields[name];
    const found = isObject(inner) ? ofGoogle(inner, `${prefix}${name}.`) : null;
    if (found !== null) return found;
  }
  return null;
}
