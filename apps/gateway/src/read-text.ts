import { open, stat, type FileHandle } from "node:fs/promises";

/** What a file held, or why it can't be read. */
export type ReadText =
  | { readonly ok: true; readonly text: string }
  /** `code`: the system's, or null. `why` goes on after the file's name: `cannot be read (EACCES)`. */
  | { readonly ok: false; readonly code: string | null; readonly why: string };

/**
 * Reads a file, or what comes through a pipe (`<(sops -d …)`, `/dev/stdin`), as UTF-8. Devices and sockets are refused and nothing is
 * read beyond `longest` bytes: `/dev/zero` and a file that grows have no end.
 */
export async function readText(path: string, longest: number): Promise<ReadText> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) return { ok: false, code: "EISDIR", why: "is a directory" };
    if (!found.isFile() && !found.isFIFO()) return { ok: false, code: null, why: "is neither a file nor a pipe" };
    if (found.size > longest) return tooLong(longest);
    const file = await open(path, "r");
    try {
      const bytes = await atMost(file, longest);
      return bytes === null ? tooLong(longest) : { ok: true, text: bytes.toString("utf8") };
    } finally {
      await file.close();
    }
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : null;
    return { ok: false, code, why: `cannot be read (${code ?? String(error)})` };
  }
}

/** @returns null when there is more */
async function atMost(file: FileHandle, longest: number): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let length = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(Math.min(64 * 1024, longest - length + 1));
    const { bytesRead } = await file.read(chunk, 0, chunk.length, null);
    if (bytesRead === 0) return Buffer.concat(chunks);
    length += bytesRead;
    if (length > longest) return null;
    chunks.push(chunk.subarray(0, bytesRead));
  }
}

function tooLong(longest: number): ReadText {
  return { ok: false, code: null, why: `is longer than ${longest / 1_000_000} MB` };
}
