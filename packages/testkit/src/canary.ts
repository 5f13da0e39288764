import { randomBytes } from "node:crypto";
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";

/** A secret that occurs nowhere by chance, to be planted in a test and looked for afterwards: letters and digits only. */
export function canarySecret(prefix = "canary"): string {
  return `${prefix}${randomBytes(20).toString("hex")}`;
}

export interface Hit {
  readonly file: string;
  /** In bytes, of the first occurrence in this form. */
  readonly offset: number;
  readonly form: "plain" | "hex" | "base64" | "utf-16";
}

const blockBytes = 1024 * 1024;

/**
 * Looks for a secret in the raw bytes of every file under a directory, as it is and in the usual disguises: hex, base64
 * (also in the middle of something longer) and UTF-16. Compressed or encrypted data is not looked into.
 */
export async function scanFor(secret: string, directory: string): Promise<Hit[]> {
  if (secret.length < 8) throw new RangeError("a secret this short is found everywhere");
  const hits: Hit[] = [];
  await scanDirectory(directory, disguises(secret), hits);
  return hits;
}

/** Walks by itself, since `readdir`'s own recursion follows links: one may lead out of the directory, or round in a circle. */
async function scanDirectory(directory: string, needles: readonly Needle[], hits: Hit[]): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await scanDirectory(path, needles, hits);
    else if (entry.isFile()) hits.push(...(await scanFile(path, needles)));
  }
}

interface Needle {
  readonly form: Hit["form"];
  readonly bytes: Buffer;
}

function disguises(secret: string): Needle[] {
  const plain = Buffer.from(secret);
  const needles: Needle[] = [
    { form: "plain", bytes: plain },
    { form: "hex", bytes: Buffer.from(plain.toString("hex")) },
    { form: "hex", bytes: Buffer.from(plain.toString("hex").toUpperCase()) },
    { form: "utf-16", bytes: Buffer.from(secret, "utf16le") },
  ];
  // In longer base64 the secret starts at one of three places in a group of three bytes. The characters that also depend
  // on its neighbours are left out; what remains is the same whatever surrounds it.
  for (const lead of [0, 1, 2]) {
    const encoded = Buffer.concat([Buffer.alloc(lead), plain])
      .toString("base64")
      .replaceAll("=", "");
    const dependsOnNext = (lead + plain.length) % 3 === 0 ? 0 : 1;
    const inner = encoded.slice(lead === 0 ? 0 : lead + 1, encoded.length - dependsOnNext);
    needles.push({ form: "base64", bytes: Buffer.from(inner) });
    const urlSafe = inner.replaceAll("+", "-").replaceAll("/", "_");
    if (urlSafe !== inner) needles.push({ form: "base64", bytes: Buffer.from(urlSafe) });
  }
  return needles;
}

async function scanFile(file: string, needles: readonly Needle[]): Promise<Hit[]> {
  const overlap = Math.max(...needles.map((needle) => needle.bytes.length)) - 1;
  const found = new Map<Hit["form"], Hit>();
  const handle = await open(file);
  try {
    // Blocks overlap, so that a secret across a border is seen and memory stays bounded.
    const block = Buffer.alloc(blockBytes + overlap);
    for (let start = 0; ; start += blockBytes) {
      const { bytesRead } = await handle.read(block, 0, block.length, start);
      const window = block.subarray(0, bytesRead);
      for (const { form, bytes } of needles) {
        const at = window.indexOf(bytes);
        if (at !== -1 && !found.has(form)) found.set(form, { file, offset: start + at, form });
      }
      if (bytesRead < block.length) return [...found.values()];
    }
  } finally {
    await handle.close();
  }
}
