import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

/** Where an operator puts the master key who does not want it beside the database. */
const variable = "TULOY_MASTER_KEY";

const fileName = "master-key";

/** Of AES-256. */
const keyBytes = 32;

/**
 * The key that everything kept encrypted is encrypted under: from the environment, else from a file in the data directory,
 * which exists; the file is made when it is missing. It is never in the database.
 * @throws with a line for the operator; errors of the file system as they come
 */
export function masterKey(dataDir: string, environment: Readonly<Record<string, string | undefined>>): Buffer {
  const given = environment[variable];
  if (given !== undefined && given !== "") {
    const key = parse(given);
    if (key) return key;
    throw new Error(
      `${variable} is not a key of 32 bytes: make one, for example with: openssl rand -base64 32 (or unset it, and a file in the data directory is used).`,
    );
  }
  const path = join(dataDir, fileName);
  const text = read(path) ?? make(path);
  const key = parse(text);
  if (key) return key;
  throw new Error(
    `${path} is damaged: restore a copy, or remove it to have a new one made; answers kept under the old one cannot be read then.`,
  );
}

/** @param text base64, or hexadecimal digits */
function parse(text: string): Buffer | null {
  const trimmed = text.trim();
  const key = Buffer.from(trimmed, /^[0-9a-f]{64}$/i.test(trimmed) ? "hex" : "base64");
  // What is no base64 is skipped in decoding, so it would be missing in the length.
  return key.length === keyBytes && /^[A-Za-z0-9+/_-]+=?$/.test(trimmed) ? key : null;
}

function read(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

/** Makes the file whole or not at all: of two processes that start at once, both use the key of the one that was quicker. */
function make(path: string): string {
  const unfinished = `${path}.${randomBytes(6).toString("hex")}`;
  const file = openSync(unfinished, "wx", 0o600);
  try {
    writeSync(file, `${randomBytes(keyBytes).toString("base64")}\n`);
    fsyncSync(file);
    linkSync(unfinished, path);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  } finally {
    closeSync(file);
    rmSync(unfinished, { force: true });
  }
  return readFileSync(path, "utf8");
}
