/**
 * What is left of a name when its spelling is taken away: case, which separator, and whether one stands before a number
 * (`Llama-3.3_70B`, `llama3.3-70b`). Numbers stay apart, so that 4.1 and 41 are two names.
 */
export function nameKey(name: string): string {
  return name
    .toLowerCase()
    .replace(/[\s._:@()-]+/g, "-")
    .replace(/^-|-$/g, "")
    .replace(/(?<=[a-z])-(?=\d)/g, "");
}
