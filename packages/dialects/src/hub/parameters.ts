import { mayBeLeftOut, takenAs } from "@tuloy/contract";

import type { WriteTarget } from "./codec.ts";

/**
 * Under which name a target takes a parameter, by OpenAI's names for them.
 * @returns null where it is to be left out, with a note
 */
export function spelling({ parameters }: Pick<WriteTarget, "parameters">, name: string): string | null {
  if (parameters === null) return name;
  const as = takenAs(parameters, name);
  if (as !== null) return as;
  // What only the model refuses too: whoever speaks another dialect can't know what this one's provider says of it.
  return mayBeLeftOut(name) ? null : name;
}
