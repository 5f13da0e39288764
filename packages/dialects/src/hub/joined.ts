/**
 * Texts that stand side by side, as the one text that a dialect, or many of its servers, has a place for there. A model sees a
 * blank line where there was a seam.
 * @param note told where there was one
 */
export function joined(texts: readonly string[], note: (words: string) => void): string {
  if (texts.length > 1) note("texts that stood side by side were sent as one, with blank lines between them");
  return texts.join("\n\n");
}
