import type { StoredId } from "../request.ts";
import { isObject, text, type JsonObject } from "./value.ts";

/** Something that is stored in the provider's account, and where in the request it is named; null where there is no name. */
export function stored(param: string, what: string, id: unknown): StoredId | null {
  return text(id) === null ? null : { param, what };
}

/** The same of the first of several names. */
export function storedAny(param: string, what: string, ids: unknown): StoredId | null {
  return Array.isArray(ids) && ids.length > 0 ? { param, what } : null;
}

/** The first of a list that names something stored, by its place in the list. */
export function storedIn(
  list: unknown,
  param: string,
  find: (item: JsonObject, param: string) => StoredId | null,
): StoredId | null {
  if (!Array.isArray(list)) return null;
  for (const [index, item] of list.entries()) {
    const found = isObject(item) ? find(item, `${param}[${index}]`) : null;
    if (found !== null) return found;
  }
  return null;
}

/**
 * An address that only the account's own credentials open: Google's and Amazon's storage, by their schemes
 * (https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/image-understanding), and files that were uploaded to Gemini
 * (https://ai.google.dev/gemini-api/docs/files).
 */
export function storedAt(param: string, url: unknown): StoredId | null {
  const address = text(url);
  if (address === null || !/^\s*(?!data:)[a-z][a-z0-9+.-]*:/i.test(address)) return null;
  const { protocol, hostname } = URL.parse(address) ?? { protocol: "", hostname: "" };
  const isOpen = protocol === "http:" || protocol === "https:";
  if (isOpen && !/(?:^|[.-])generativelanguage\.googleapis\.com\.?$/.test(hostname)) return null;
  return { param, what: "a file" };
}
