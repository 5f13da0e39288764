import { randomBytes } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { z } from "zod";

import { keyDigest } from "./key-ring.ts";

/** The key that is made when the configuration names none, so that a gateway is never open. */
export interface FirstKey {
  readonly secret: Buffer;
  readonly digest: string;
  /** The key itself, only when it was made just now: it is shown once and kept nowhere. */
  readonly shown: string | null;
}

const fileName = "first-key.json";

const kept = z.strictObject({ secret: z.base64(), digest: z.base64() });

/** A new API key: 192 random bits, with a prefix that secret scanners can find. */
export function newApiKey(): string {
  return `tuloy_${randomBytes(24).toString("base64url")}`;
}

/** Reads the first key's digest from the data directory, which exists, or makes a key and keeps its digest there. Throws when it can do neither. */
export function firstKey(dataDir: string): FirstKey {
  const path = join(dataDir, fileName);
  const before = read(path);
  if (before) return { secret: Buffer.from(before.secret, "base64"), digest: before.digest, shown: null };
  const shown = newApiKey();
  const secret = randomBytes(32);
  const digest = keyDigest(secret, shown);
  writeFileSync(path, `${JSON.stringify({ secret: secret.toString("base64"), digest })}\n`, { mode: 0o600 });
  return { secret, digest, shown };
}

/** Takes a key back that nobody was shown, since the start failed: the next start makes another one. */
export function forgetFirstKey(dataDir: string): void {
  rmSync(join(dataDir, fileName), { force: true });
}

function read(path: string): z.infer<typeof kept> | null {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
  const parsed = kept.safeParse(parseJson(text));
  if (!parsed.success)
    throw new Error(`${path} is damaged: remove it to have a new API key made, or name keys in the configuration.`);
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
