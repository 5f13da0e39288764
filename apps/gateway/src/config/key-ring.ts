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
  readonly #secret: Buffer;
  readonly #principals = new Map<string, Principal>();

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
    return this.#principals.get(keyDigest(this.#secret, presented)) ?? null;
  }
}

/** HMAC-SHA-256 of an API key, in base64. */
export function keyDigest(secret: Buffer, value: string): string {
  return createHmac("sha256", secret).update(value).digest("base64");
}
