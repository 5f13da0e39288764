import { stored, storedAt, storedIn } from "../json/stored.ts";
import { isObject, type JsonObject } from "../json/value.ts";
import type { StoredId } from "../request.ts";

/** What of a request is stored in the account of whoever answers it. Null: nothing. */
export function storedByMessages({ container, messages, system }: JsonObject): StoredId | null {
  return (
    (isObject(container) ? ofContainer(container) : stored("container", "a container", container)) ??
    storedIn(system, "system", ofBlock) ??
    storedIn(messages, "messages", ({ content }, param) => storedIn(content, `${param}.content`, ofBlock))
  );
}

/** Anthropic's own skills are everybody's. */
function ofContainer({ id, skills }: JsonObject): StoredId | null {
  return (
    stored("container.id", "a container", id) ??
    storedIn(skills, "container.skills", ({ type, skill_id: skill }, param) =>
      type === "anthropic" ? null : stored(`${param}.skill_id`, "a skill", skill),
    )
  );
}

function ofBlock({ type, source, content, file_id: file }: JsonObject, param: string): StoredId | null {
  // What a tool of Anthropic's own reported is not opened again by its id.
  if (type === "container_upload") return stored(`${param}.file_id`, "a file", file);
  const found = isObject(source) ? ofSource(source, `${param}.source`) : null;
  return found ?? (type === "tool_result" ? storedIn(content, `${param}.content`, ofBlock) : null);
}

function ofSource({ file_id: file, url, content }: JsonObject, param: string): StoredId | null {
  return (
    stored(`${param}.file_id`, "a file", file) ??
    storedAt(`${param}.url`, url) ??
    storedIn(content, `${param}.content`, ofBlock)
  );
}
