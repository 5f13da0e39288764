import { resolve } from "node:path";

import { readText, type ReadText } from "../read-text.ts";
import { defaultConfigName, defaultConfigText } from "./defaults.ts";

/** The file that is looked for when none is named. */
export const defaultFileName = "tuloy.yaml";

export type ConfigText =
  | {
      readonly kind: "file";
      /** As it was named, for messages. */
      readonly name: string;
      /** Absolute. */
      readonly path: string;
      readonly text: string;
    }
  /** No file was named and there is none: two simulated providers. */
  | { readonly kind: "defaults"; readonly name: string; readonly text: string }
  | { readonly kind: "unreadable"; readonly name: string; readonly message: string };

/**
 * Finds the text of the configuration. A file that is named must be there: falling back would answer production with
 * simulated text.
 * @param named what the command line says, or undefined
 */
export async function findConfig(named: string | undefined, directory: string): Promise<ConfigText> {
  const name = named ?? defaultFileName;
  const path = resolve(directory, name);
  const read = await readConfig(path);
  if (read.ok) return { kind: "file", name, path, text: read.text };
  if (read.code === "ENOENT" && named === undefined) {
    return { kind: "defaults", name: defaultConfigName, text: defaultConfigText };
  }
  return { kind: "unreadable", name, message: `${name} ${reasons[read.code ?? ""] ?? read.why}` };
}

/** Some ten thousand times what a configuration has, in bytes. */
const longestConfig = 10_000_000;

/** The text of a configuration's file. */
export function readConfig(path: string): Promise<ReadText> {
  return readText(path, longestConfig);
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "does not exist",
  EACCES: "may not be read by this user",
};

export function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "unknown error";
}
