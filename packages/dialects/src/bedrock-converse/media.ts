import type { HubFile, HubImage } from "../hub/request.ts";
import { isObject } from "../json/value.ts";

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ImageBlock.html */
const imageFormats: ReadonlyMap<string, string> = new Map([
  ["image/png", "png"],
  ["image/jpeg", "jpeg"],
  ["image/jpg", "jpeg"],
  ["image/gif", "gif"],
  ["image/webp", "webp"],
]);

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_DocumentBlock.html */
const documentFormats: ReadonlyMap<string, string> = new Map([
  ["application/pdf", "pdf"],
  ["text/csv", "csv"],
  ["application/msword", "doc"],
  ["application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"],
  ["application/vnd.ms-excel", "xls"],
  ["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"],
  ["text/html", "html"],
  ["text/markdown", "md"],
]);

/** The type without its parameters: `text/plain; charset=utf-8`. */
function plainType(mediaType: string): string {
  return (mediaType.split(";")[0] ?? "").trim().toLowerCase();
}

function documentFormat(mediaType: string): string | null {
  const type = plainType(mediaType);
  return documentFormats.get(type) ?? (type.startsWith("text/") || type === "application/json" ? "txt" : null);
}

/** Why an image or a document can't be given; null: it can. Converse takes bytes, and addresses in S3 that only its own account has. */
export function mediaObstacle(part: HubImage | HubFile): string | null {
  const what = part.kind === "image" ? "images" : "files";
  const { source } = part;
  if (source.at === "url") return `takes no ${what} by URL`;
  if (source.at === "id") return `has no ${what} that were uploaded elsewhere`;
  const format =
    part.kind === "image" ? imageFormats.get(plainType(source.mediaType)) : documentFormat(source.mediaType);
  return format === undefined || format === null ? `takes no ${what} of the type ${source.mediaType}` : null;
}

export function imageBlock({ source }: HubImage): unknown {
  if (source.at !== "inline") return null;
  const format = imageFormats.get(plainType(source.mediaType));
  return format === undefined ? null : { image: { format, source: { bytes: source.data } } };
}

/** Names documents: Converse wants each to have one, and no two the same. */
export class DocumentNames {
  readonly #used = new Set<string>();

  /** Letters, digits, single spaces, hyphens, parentheses and brackets are all that a name may have; its extension says nothing. */
  name(wished: string | null): string {
    const stem = (wished ?? "").replace(/\.[A-Za-z0-9]{1,5}$/, "");
    const clean = stem
      .normalize("NFKD")
      .replaceAll(/\p{M}/gu, "")
      .replaceAll(/[^A-Za-z0-9\-()[\]]+/g, " ")
      .replaceAll(/\s+/g, " ")
      .trim()
      .slice(0, 180);
    const base = clean === "" ? "document" : clean;
    let name = base;
    for (let number = 2; this.#used.has(name); number++) name = `${base} ${number}`;
    this.#used.add(name);
    return name;
  }
}

export function documentBlock({ source, name }: HubFile, names: DocumentNames): unknown {
  if (source.at !== "inline") return null;
  const format = documentFormat(source.mediaType);
  return format === null ? null : { document: { format, name: names.name(name), source: { bytes: source.data } } };
}

export function isDocument(block: unknown): boolean {
  return isObject(block) && "document" in block;
}
