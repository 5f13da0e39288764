import { mayBeLeftOut, takenAs } from "@tuloy/contract";

import type { WriteTarget } from "./codec.ts";

/**
 * Under which name a target takes a parameter, by OpenAI's names for them.
 * @returns null where it is to be left out, with a note
 */
export function spelling({ parameters, substitute }: WriteTarget, name: string): string | null {
  if (parameters === null) return name;
  const as = takenAs(parameters, name);
  if (as !== null) return as;
  // Whoever names a model is told by its provider what it does not take; who stands in for it is not the sender's choice.
  const known = parameters.refuses.has(name) || (parameters.takes !== null && !parameters.takes.has(name));
  return mayBeLeftOut(name) && (known || substitute) ? null : name;
}
