/** One use of one key, from the start of a call to its end. */
export interface KeyLease {
  /** The key's name; `none` for a provider without keys. Never its value. */
  readonly name: string;
  /** Ends the use. Later calls do nothing. `tokens`: what was really used, or null when unknown. */
  release(now: number, tokens: number | null): void;
}
