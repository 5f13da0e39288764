import { stored, storedAny, storedAt, storedIn } from "../json/stored.ts";
import { isObject, type JsonObject } from "../json/value.ts";
import type { StoredId } from "../request.ts";

/**
 * What of a request is stored in the account of whoever answers it, besides the responses, items and conversations that `boundBy`
 * finds. Null: nothing.
 */
export function storedByResponses({ prompt, input, tools }: JsonObject): StoredId | null {
  const template = isObject(prompt) ? stored("prompt.id", "a prompt", prompt.id) : null;
  return template ?? storedIn(input, "input", ofItem) ?? storedIn(tools, "tools", ofTool);
}

function ofItem({ content, output, container_id: container, environment }: JsonObject, param: string): StoredId | null {
  return (
    stored(`${param}.container_id`, "a container", container) ??
    ofEnvironment(environment, `${param}.environment`) ??
    storedIn(content, `${param}.content`, ofPart) ??
    storedIn(output, `${param}.output`, ofPart) ??
    // A screenshot stands alone.
    (isObject(output) ? ofPart(output, `${param}.output`) : null)
  );
}

function ofPart({ file_id: file, image_url: image, file_url: url }: JsonObject, param: string): StoredId | null {
  return (
    stored(`${param}.file_id`, "a file", file) ??
    storedAt(`${param}.image_url`, image) ??
    storedAt(`${param}.file_url`, url)
  );
}

function ofTool(tool: JsonObject, param: string): StoredId | null {
  const { container, environment, input_image_mask: imageMask } = tool;
  return (
    storedAny(`${param}.vector_store_ids`, "a vector store", tool.vector_store_ids) ??
    storedAny(`${param}.collection_ids`, "a collection", tool.collection_ids) ??
    (isObject(container)
      ? ofEnvironment(container, `${param}.container`)
      : stored(`${param}.container`, "a container", container)) ??
    ofEnvironment(environment, `${param}.environment`) ??
    (isObject(imageMask) ? ofPart(imageMask, `${param}.input_image_mask`) : null)
  );
}

/** Where code and commands run, and what is put there. */
function ofEnvironment(environment: unknown, param: string): StoredId | null {
  if (!isObject(environment)) return null;
  return (
    stored(`${param}.container_id`, "a container", environment.container_id) ??
    storedAny(`${param}.file_ids`, "a file", environment.file_ids) ??
    storedIn(environment.skills, `${param}.skills`, (skill, at) => stored(`${at}.skill_id`, "a skill", skill.skill_id))
  );
}
