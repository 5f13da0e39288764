import type { Opaque } from "../hub/request.ts";

/**
 * Thought signatures are bound to where they were made: AI Studio answers one of Vertex AI's with 400 "Corrupted thought
 * signature", and the other way round, though the model is the same. So the kind of provider is put before it when it leaves
 * here, and taken off again when it comes back.
 */
const separator = ":";

/** @param kind of the provider; absent where nobody knows */
export function signatureFrom(signature: string, kind: string | undefined): Opaque {
  return { dialect: "gemini", data: kind === undefined ? signature : kind + separator + signature };
}

/**
 * The signature as its maker wrote it.
 * @returns null for one that was made elsewhere, and would be refused. One of unknown origin is taken for its own: a client may
 * have talked to Google before.
 */
export function signatureFor(opaque: Opaque | null | undefined, kind: string): string | null {
  if (opaque === null || opaque === undefined || opaque.dialect !== "gemini") return null;
  // Base64 has no colon.
  const at = opaque.data.indexOf(separator);
  if (at === -1) return opaque.data;
  return opaque.data.slice(0, at) === kind ? opaque.data.slice(at + 1) : null;
}

/**
 * Stands in for a signature that does not exist, since the call was made by another model or at another provider. Google names
 * it for histories that are moved (https://ai.google.dev/gemini-api/docs/thought-signatures#faqs); of the two words there, it is
 * the one that Vertex AI takes as well.
 */
export const unsignedCall = "skip_thought_signature_validator";
