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
 * The API keys that may call, kept as HMACs. A look-up hashes the presented key and finds the digest in a map: what an
 * attacker could learn from its timing is about the digest, which without the HMAC's secret says nothing about a key. (The
 * keys in use are remembered besides; that map compares whole strings only when their hashes, which have a secret seed of the
 * process, are equal.)
 */
export class KeyRing {
  readonly #secret: Buffer;
  readonly #principals = new Map<string, Principal>();
  /** Keys that were found, so that each is hashed once. Never more than there are keys; a wrong one is hashed every time. */
  readonly #found = new Map<string, Principal>();

  /** @param secret at least 32 random bytes; a digest among the keys must have been made with it */
  constructor(
    keys: Iterable<Principal & ({ readonly value: string } | { readonly digest: string })>,
    secret: Buffer = randomBytes(32),
  ) {
    this.#secret = secret;
    for (const key of keys) {
      const { organization, workspace, environment } = key;
      this.#principals.set("digest" in key ? key.digest : keyDigest(secret, key.value), {
        organization,
        workspace,
        environment,
        key: key.key,
      });
    }
  }

  /** @returns who holds this key, or null when nobody does */
  find(presented: string): Principal | null {
    const known = this.#found.get(presented);
    if (known) return known;
    const principal = this.#principals.get(keyDigest(this.#secret, presented)) ?? null;
    if (principal) this.#found.set(presented, principal);
    return principal;
  }
}

/** HMAC-SHA-256 of an API key, in base64. */
export function keyDigest(secret: Buffer, value: string): string {
  return createHmac("sha256", secret).update(value).digest("base64");
}
