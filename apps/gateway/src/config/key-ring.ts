import { createHmac, randomBytes } from "node:crypto";

/** Who is asking: what an API key stands for. */
export interface Principal {
  readonly organization: string;
  readonly workspace: string;
  readonly environment: string;
  /** The key's name; never its value. */
  readonly key: string;
}

/**
 * The API keys that may call, kept as HMACs only. A look-up hashes the presented key and finds the digest in a map: what an
 * attacker could learn from its timing is about the digest, which without the HMAC's secret says nothing about a key.
 */
export class KeyRing {
  readonly #secret = randomBytes(32);
  readonly #principals = new Map<string, Principal>();

  constructor(keys: Iterable<Principal & { readonly value: string }>) {
    for (const { value, organization, workspace, environment, key } of keys) {
      this.#principals.set(this.#digest(value), { organization, workspace, environment, key });
    }
  }

  /** @returns who holds this key, or null when nobody does */
  find(presented: string): Principal | null {
    return this.#principals.get(this.#digest(presented)) ?? null;
  }

  #digest(value: string): string {
    return createHmac("sha256", this.#secret).update(value).digest("base64");
  }
}
