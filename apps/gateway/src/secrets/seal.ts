import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";

const algorithm = "aes-256-gcm";
/** Of GCM (NIST SP 800-38D, section 5.2.1.1). */
const nonceBytes = 12;
const tagBytes = 16;

/** Encrypts and digests for one purpose, under keys of its own that are derived from the master key. */
export class Seal {
  readonly #encryption: Buffer;
  readonly #digestion: Buffer;

  /** @param purpose what it is for: what one purpose has sealed, another cannot open */
  constructor(master: Buffer, purpose: string) {
    this.#encryption = derive(master, `${purpose} encryption`);
    this.#digestion = derive(master, `${purpose} digest`);
  }

  /**
   * HMAC-SHA-256, in base64url. Not a bare hash: whoever has only the database could try prompts against one.
   * @param head told apart from the rest whatever they hold
   */
  digest(head: readonly string[], rest?: Uint8Array): string {
    const hmac = createHmac("sha256", this.#digestion).update(JSON.stringify(head));
    if (rest !== undefined) hmac.update("\n").update(rest);
    return hmac.digest("base64url");
  }

  /**
   * Encrypts with AES-256-GCM and a nonce of its own.
   * @param boundTo whom and which record it belongs to: elsewhere it cannot be opened
   */
  close(content: Uint8Array, boundTo: readonly string[]): Buffer {
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv(algorithm, this.#encryption, nonce, { authTagLength: tagBytes });
    cipher.setAAD(Buffer.from(JSON.stringify(boundTo)));
    const encrypted = cipher.update(content);
    cipher.final();
    return Buffer.concat([nonce, cipher.getAuthTag(), encrypted]);
  }

  /** @returns null when it was sealed under another key or for another record, or was changed */
  open(sealed: Uint8Array, boundTo: readonly string[]): Buffer | null {
    if (sealed.length < nonceBytes + tagBytes) return null;
    const decipher = createDecipheriv(algorithm, this.#encryption, sealed.subarray(0, nonceBytes), {
      authTagLength: tagBytes,
    });
    decipher.setAAD(Buffer.from(JSON.stringify(boundTo)));
    decipher.setAuthTag(sealed.subarray(nonceBytes, nonceBytes + tagBytes));
    try {
      const content = decipher.update(sealed.subarray(nonceBytes + tagBytes));
      decipher.final();
      return content;
    } catch {
      return null;
    }
  }
}

function derive(master: Buffer, info: string): Buffer {
  return Buffer.from(hkdfSync("sha256", master, "", info, 32));
}
