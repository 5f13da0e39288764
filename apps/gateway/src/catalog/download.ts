import { request as plainRequest } from "node:http";
import type { IncomingMessage, RequestOptions } from "node:http";
import { request as secureRequest } from "node:https";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import { brotliDecompress, gunzip } from "node:zlib";

import { deniedLiteral, guardedLookup } from "../upstream/address-guard.ts";
import { version } from "../version.ts";

export interface DownloadOptions {
  readonly url: URL;
  /** What the source is asked with whether it has changed; null: it is asked for the whole. */
  readonly etag: string | null;
  /** Permits addresses that are not public. Only for tests: the source's address is not the operator's to choose. */
  readonly private: boolean;
  readonly timeoutMs: number;
}

export type Downloaded =
  | { readonly kind: "changed"; readonly text: string; readonly etag: string | null }
  | { readonly kind: "unchanged" }
  | { readonly kind: "failed"; readonly reason: string };

/** Twenty times what the source is now; bytes, before and after decompression. */
export const longestSource = 40_000_000;

/**
 * Gets a document. Nothing that goes wrong throws: what is there stays as it is. Redirects are not followed, since where they lead
 * was checked by nobody.
 */
export async function download({ url, etag, private: isPrivate, timeoutMs }: DownloadOptions): Promise<Downloaded> {
  if (url.protocol !== "https:" && url.protocol !== "http:") return failed("its address is neither http nor https");
  const denied = isPrivate ? null : deniedLiteral(url);
  if (denied !== null) return failed(`${url.hostname} is not a public address`);
  const headers = {
    accept: "application/json",
    "accept-encoding": "br, gzip",
    "user-agent": `tuloy/${version}`,
    ...(etag === null ? {} : { "if-none-match": etag }),
  };
  try {
    const options = {
      headers,
      signal: AbortSignal.timeout(timeoutMs),
      ...(isPrivate ? {} : { lookup: guardedLookup }),
    };
    const response = await answerOf(url, options);
    const { statusCode: status = 0 } = response;
    if (status === 304) return done(response, { kind: "unchanged" });
    if (status !== 200) return done(response, failed(`it answered with status ${status}`));
    const text = await textOf(response);
    const tag = response.headers.etag;
    return { kind: "changed", text, etag: tag !== undefined && /^[\x21-\x7e]{1,500}$/.test(tag) ? tag : null };
  } catch (error) {
    return failed(reasonOf(error, timeoutMs));
  }
}

function answerOf(url: URL, options: RequestOptions): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = url.protocol === "https:" ? secureRequest : plainRequest;
  request(url, options, resolve).on("error", reject).end();
  return promise;
}

function done(response: IncomingMessage, result: Downloaded): Downloaded {
  response.destroy();
  return result;
}

async function textOf(response: IncomingMessage): Promise<string> {
  let length = 0;
  response.on("data", (bytes: Buffer) => {
    length += bytes.length;
    if (length > longestSource) response.destroy(new Error("it is longer than 40 MB"));
  });
  const bytes = await buffer(response);
  return (await plain(bytes, response.headers["content-encoding"] ?? "identity")).toString("utf8");
}

async function plain(bytes: Buffer, encoding: string): Promise<Buffer> {
  if (encoding === "identity") return bytes;
  if (encoding === "br") return promisify(brotliDecompress)(bytes, { maxOutputLength: longestSource });
  if (encoding === "gzip") return promisify(gunzip)(bytes, { maxOutputLength: longestSource });
  throw new Error(`it answered in the encoding ${JSON.stringify(encoding)}, which nobody asked for`);
}

function reasonOf(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError" || error.name === "AbortError")
    return `it did not answer within ${timeoutMs / 1000} s`;
  return error.message === "" && "code" in error ? String(error.code) : error.message;
}

function failed(reason: string): Downloaded {
  return { kind: "failed", reason };
}
