import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";

import type { SignatureV4 } from "@smithy/signature-v4";

import type { Provider } from "../../config/snapshot.ts";
import type { Authorization, Authorize, UnauthorizedCall } from "../outlet.ts";
import { readAwsKey, type AwsKey } from "./aws-key.ts";

/** The credentials as the signer takes them. */
interface Identity {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** The hash that the signer works with, in the shape that it asks for. */
class Sha256 {
  #hash: Hash | Hmac;

  constructor(secret?: string | Uint8Array | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", bytesOf(secret));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    this.#hash = createHash("sha256");
  }
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === "string") return Buffer.from(data);
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}

/**
 * Authorizes calls to AWS with one key: by a bearer token, or by Signature Version 4 over the whole call
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html), made anew for every call since it holds the time.
 * The libraries are loaded with the first call that needs them.
 */
export function awsAuthorizer(provider: Pick<Provider, "location" | "preset">, secret: string | null): Authorize {
  const { auth } = provider.preset;
  const service = auth !== "none" && "scheme" in auth && auth.scheme === "aws-sigv4" ? auth.service : "";
  const key = readAwsKey(secret ?? "ambient");
  if ("fault" in key) {
    const denied: Authorization = { denied: "rejected", reason: `the key ${key.fault}` };
    return async () => denied;
  }
  if (key.kind === "bearer") {
    const shown: Authorization = { headers: ["authorization", `Bearer ${key.token}`] };
    return async () => shown;
  }
  const region = provider.location ?? "us-east-1";
  let signer: Promise<SignatureV4> | null = null;
  return async (call) => ({ headers: await sign(await (signer ??= makeSigner(key, service, region)), call) });
}

async function makeSigner(
  key: Exclude<AwsKey, { kind: "bearer" }>,
  service: string,
  region: string,
): Promise<SignatureV4> {
  const { SignatureV4 } = await import("@smithy/signature-v4");
  const credentials = key.kind === "ambient" ? await ambientCredentials() : identityOf(key);
  return new SignatureV4({ service, region, credentials, sha256: Sha256, applyChecksum: false });
}

/** Looks in the same places as AWS's own tools, and again when what it found there is over. */
async function ambientCredentials(): Promise<() => Promise<Identity>> {
  const { fromNodeProviderChain } = await import("@aws-sdk/credential-providers");
  return fromNodeProviderChain();
}

function identityOf({ accessKeyId, secretAccessKey, sessionToken }: Extract<AwsKey, { kind: "signing" }>): Identity {
  return { accessKeyId, secretAccessKey, ...(sessionToken === null ? {} : { sessionToken }) };
}

/** Headers that a proxy on the way may change are not signed, and need not be: type, host, time and body are. */
async function sign(signer: SignatureV4, { method, url, headers, body, wall }: UnauthorizedCall): Promise<string[]> {
  const own: Record<string, string> = { host: url.host };
  const type = headers.indexOf("content-type");
  if (type !== -1 && type % 2 === 0) own["content-type"] = headers[type + 1] ?? "";
  const signed = await signer.sign(
    {
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      query: {},
      headers: own,
      body,
    },
    { signingDate: new Date(wall) },
  );
  return Object.entries(signed.headers).flatMap(([name, value]) => (name in own ? [] : [name, value]));
}
