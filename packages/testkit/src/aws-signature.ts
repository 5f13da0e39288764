import { createHash, createHmac } from "node:crypto";

import type { WireRequest } from "./request-reader.ts";

/** What a signature has to be made with. */
export interface SigningSecret {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly region: string;
  readonly service: string;
}

/**
 * Checks the AWS Signature Version 4 of a request that arrived, by AWS's description of it and with no library.
 * @returns what is wrong with it, or null
 */
export function signatureFault(request: WireRequest, secret: SigningSecret): string | null {
  const { headers } = request;
  const shown =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? "",
    );
  if (shown === null) return `no signature: ${headers.authorization ?? "nothing"}`;
  const [, keyId, day, region, service, names = "", signature] = shown;
  const time = headers["x-amz-date"] ?? "";
  if (keyId !== secret.accessKeyId) return `another access key: ${keyId}`;
  if (region !== secret.region || service !== secret.service) return `signed for ${service} in ${region}`;
  if (!/^\d{8}T\d{6}Z$/.test(time) || !time.startsWith(day ?? "-")) return `signed at ${time} for ${day}`;
  const signed = names.split(";");
  if (!signed.includes("host") || !signed.includes("x-amz-date")) return `signed are only ${names}`;
  if (headers["x-amz-security-token"] !== secret.sessionToken) return "another session token";
  if (secret.sessionToken !== undefined && !signed.includes("x-amz-security-token"))
    return "the session token is not signed";

  const [path = "", query = ""] = request.path.split("?");
  const canonical = [
    request.method,
    // For all services but S3, what is encoded in the path already is encoded once more.
    path.split("/").map(encode).join("/"),
    query.split("&").toSorted().join("&"),
    ...signed.map((name) => `${name}:${(headers[name] ?? "").trim().replaceAll(/ +/g, " ")}`),
    "",
    names,
    headers["x-amz-content-sha256"] ?? sha256(request.body),
  ].join("\n");
  const text = ["AWS4-HMAC-SHA256", time, `${day}/${region}/${service}/aws4_request`, sha256(canonical)].join("\n");
  const key = [day, region, service, "aws4_request"].reduce<Buffer>(
    (secretKey, part) => hmac(secretKey, part ?? ""),
    Buffer.from(`AWS4${secret.secretAccessKey}`),
  );
  return hmac(key, text).toString("hex") === signature ? null : `the signature is not that of\n${canonical}`;
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
