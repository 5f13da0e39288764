import type { Authorization } from "../outlet.ts";

/** A token, and until when it holds. */
export interface Token {
  readonly headers: readonly string[];
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** What a fetch comes to. It throws where nothing can be said of the credential. */
export type FetchedToken = Token | Extract<Authorization, { readonly denied: string }>;

/** From so long before its end on a token is renewed, while it is still used. Google's last an hour. */
const renewMs = 5 * 60_000;
/** A renewal that failed is tried again after this; meanwhile the old token holds. */
const againMs = 30_000;
/** With less time left a token is not begun with: it has to hold until the call is there. */
const lastMs = 10_000;

/**
 * Keeps one token: fetched when it is first needed, renewed in time without anybody waiting for it, and never fetched twice at
 * once however many calls want it.
 */
export class TokenKeeper {
  readonly #fetch: (wall: number) => Promise<FetchedToken>;
  #token: Token | null = null;
  #fetching: Promise<FetchedToken> | null = null;
  #renewAt = 0;

  constructor(fetch: (wall: number) => Promise<FetchedToken>) {
    this.#fetch = fetch;
  }

  /**
   * @param wall now, in milliseconds since 1970
   * @throws what the fetch throws, for everybody who waits for it
   */
  async authorize(wall: number): Promise<Authorization> {
    const token = this.#token;
    if (token === null || wall >= token.expiresAt - lastMs) return this.#renew(wall);
    if (wall >= this.#renewAt && this.#fetching === null) {
      this.#renewAt = wall + againMs;
      // Who is at fault shows when the token is over, if it does not come right before.
      this.#renew(wall).catch(() => {});
    }
    return token;
  }

  #renew(wall: number): Promise<FetchedToken> {
    this.#fetching ??= this.#fetched(wall).finally(() => {
      this.#fetching = null;
    });
    return this.#fetching;
  }

  async #fetched(wall: number): Promise<FetchedToken> {
    const fetched = await this.#fetch(wall);
    if ("headers" in fetched) {
      this.#token = fetched;
      this.#renewAt = fetched.expiresAt - renewMs;
    }
    return fetched;
  }
}
