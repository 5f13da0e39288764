import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { errorCode } from "../config/source.ts";

/** What opens the control plane: whoever may read the data directory may use it. Never in the database. */
const fileName = "control.key";

const pattern = /^tuloy_control_[\w-]{32}$/;

/** The operator's key of a data directory, which exists; made when there is none. Throws when it can be neither read nor made. */
export function operatorKey(dataDir: string): string {
  const known = readOperatorKey(dataDir);
  if (known !== null) return known;
  const made = `tuloy_control_${randomBytes(24).toString("base64url")}`;
  writeFileSync(join(dataDir, fileName), `${made}\n`, { mode: 0o600, flag: "wx" });
  return made;
}

/** @returns null when there is none yet. Throws when there is one that is not to be read, or is no key. */
export function readOperatorKey(dataDir: string): string | null {
  const path = join(dataDir, fileName);
  let text: string;
  try {
    text = readFileSync(path, "utf8").trim();
  } catch (error) {
    if (errorCode(error) === "ENOENT") return null;
    throw error;
  }
  if (!pattern.test(text)) throw new Error(`${path} is damaged: remove it, and the next start makes another.`);
  return text;
}

/** Compares in constant time, whatever is presented. */
export function keyCheck(key: string): (presented: string) => boolean {
  const expected = digest(key);
  return (presented) => timingSafeEqual(digest(presented), expected);
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
