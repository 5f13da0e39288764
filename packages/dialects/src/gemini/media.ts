import type { HubAudio, HubFile, HubImage, HubSource } from "../hub/request.ts";

export type MediaPart =
  | { readonly inlineData: { readonly mimeType: string; readonly data: string } }
  | { readonly fileData: { readonly mimeType: string; readonly fileUri: string } };

/** What is guessed from the end of an address, since Gemini wants the type of a file it is to fetch, and clients do not say it. */
const types: ReadonlyMap<string, string> = new Map([
  ["png", "image/png"],
  ["jpg", "image/jpeg"],
  ["jpeg", "image/jpeg"],
  ["webp", "image/webp"],
  ["gif", "image/gif"],
  ["heic", "image/heic"],
  ["heif", "image/heif"],
  ["pdf", "application/pdf"],
  ["txt", "text/plain"],
  ["md", "text/plain"],
  ["html", "text/html"],
  ["csv", "text/csv"],
  ["json", "application/json"],
  ["mp3", "audio/mp3"],
  ["wav", "audio/wav"],
]);

/** Formats that Gemini calls otherwise than OpenAI does (https://ai.google.dev/gemini-api/docs/audio#supported-formats). */
const audioTypes: ReadonlyMap<string, string> = new Map([
  ["mpeg", "audio/mp3"],
  ["pcm16", "audio/pcm"],
]);

/**
 * An image, a document or sound as a part. Gemini fetches addresses itself
 * (https://ai.google.dev/gemini-api/docs/file-input-methods).
 * @param note told when the type of what is at an address had to be guessed
 */
export function mediaPart(part: HubImage | HubFile | HubAudio, note: (text: string) => void): MediaPart {
  const { source } = part;
  if (part.kind === "audio") return at(source, audioTypes.get(part.format) ?? `audio/${part.format}`);
  const usual = part.kind === "image" ? "image/jpeg" : "application/pdf";
  const guessed =
    source.at === "inline" ? source.mediaType : typeOf(address(source), part.kind === "file" ? part.name : null);
  if (guessed === null)
    note(`the type of ${part.kind === "image" ? "an image" : "a file"} at an address is unknown: ${usual} was taken`);
  return at(source, guessed ?? usual);
}

function at(source: HubSource, mimeType: string): MediaPart {
  return source.at === "inline"
    ? { inlineData: { mimeType, data: source.data } }
    : { fileData: { mimeType, fileUri: address(source) } };
}

/** A file kept at Google is called by its address too. */
function address(source: HubSource): string {
  return source.at === "inline" ? "" : source.at === "url" ? source.url : source.id;
}

function typeOf(url: string, name: string | null): string | null {
  return typeOfName(URL.parse(url)?.pathname ?? url) ?? (name === null ? null : typeOfName(name));
}

function typeOfName(path: string): string | null {
  return types.get(path.slice(path.lastIndexOf(".") + 1).toLowerCase()) ?? null;
}
