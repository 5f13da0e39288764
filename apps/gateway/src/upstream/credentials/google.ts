import { createSign } from "node:crypto";
import { existsSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";

import type { Provider } from "../../config/snapshot.ts";
import { readText, type ReadText } from "../../read-text.ts";
import type { Authorize } from "../outlet.ts";
import { postOnce } from "../post-once.ts";
import { ambientTokens, scope } from "./google-ambient.ts";
import { readServiceAccount, type ServiceAccount } from "./service-account.ts";
import { TokenKeeper, type FetchedToken } from "./token-keeper.ts";

const googleTokenUri = "https://oauth2.googleapis.com/token";
/** The longest that Google allows an assertion to hold, in seconds. */
const assertionSeconds = 3600;

/** The word of the configuration for what the machine itself may do. */
const ambient = "ambient";

/**
 * Authorizes calls to Google Cloud with a bearer token: by a service account's key, given as its JSON or the path of its file, or by
 * what the machine itself may do (application default credentials). Providers that are not the operator's own never get the latter:
 * `ambient` is a word of the file alone.
 */
export function googleAuthorizer(provider: Pick<Provider, "visibility" | "project">, secret: string | null): Authorize {
  const permitPrivate = provider.visibility === "private";
  const value = secret ?? ambient;
  const keeper = new TokenKeeper(
    value === ambient ? ambientTokens(provider.project) : (wall) => serviceAccountToken(value, permitPrivate, wall),
  );
  return ({ wall }) => keeper.authorize(wall);
}

/** A file is read anew for every token: secrets that are mounted are also exchanged. */
async function serviceAccountToken(value: string, permitPrivate: boolean, wall: number): Promise<FetchedToken> {
  const file = value.trimStart().startsWith("{") ? null : await readText(value, longestKeyFile);
  if (file?.ok === false) return rejected(unreadable(value, file));
  const account = readServiceAccount(file === null ? value : file.text);
  if ("fault" in account) return rejected(`the key ${account.fault}`);
  const assertion = assertionOf(account, wall);
  if (assertion === null) return rejected("the service account's private_key is no RSA key");
  return tokenFor(account, assertion, permitPrivate, wall);
}

/** A key file has some 2,400 bytes. */
const longestKeyFile = 1_000_000;

/**
 * Which file, and why. What is not plainly a path may be a secret in the wrong place, and is not told. Folder and name stand apart,
 * since the configured value, as a whole, is hidden wherever it stands.
 */
function unreadable(value: string, { why }: Extract<ReadText, { ok: false }>): string {
  const path = resolve(value);
  const isPath = value.length <= 300 && (value.endsWith(".json") || (/[\\/]/.test(value) && existsSync(dirname(path))));
  return isPath
    ? `the service account's key file ${basename(path)} in ${dirname(path)} ${why}`
    : `the key is neither a service account's JSON nor the path of its file: as a path it ${why}`;
}

function rejected(reason: string): FetchedToken {
  return { denied: "rejected", reason };
}

/**
 * What a service account proves itself with (RFC 7523,
 * https://developers.google.com/identity/protocols/oauth2/service-account#httprest).
 * @returns null where there is nothing to sign with
 */
function assertionOf({ clientEmail, privateKey, privateKeyId, tokenUri }: ServiceAccount, wall: number): string | null {
  const issuedAt = Math.floor(wall / 1000);
  const header = { alg: "RS256", typ: "JWT", ...(privateKeyId === null ? {} : { kid: privateKeyId }) };
  const claims = {
    iss: clientEmail,
    scope,
    aud: tokenUri ?? googleTokenUri,
    iat: issuedAt,
    exp: issuedAt + assertionSeconds,
  };
  const signed = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  try {
    return `${signed}.${createSign("RSA-SHA256").update(signed).sign(privateKey, "base64url")}`;
  } catch {
    return null;
  }
}

async function tokenFor(
  { tokenUri }: ServiceAccount,
  assertion: string,
  permitPrivate: boolean,
  wall: number,
): Promise<FetchedToken> {
  const url = URL.parse(tokenUri ?? googleTokenUri);
  if (url === null || !/^https?:$/.test(url.protocol)) return rejected("the service account's token_uri is no address");
  const form = new URLSearchParams({ grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion });
  const headers = ["content-type", "application/x-www-form-urlencoded", "accept", "application/json"];
  const { status, body } = await postOnce(url, permitPrivate, headers, form.toString());
  const answer = parsed(body);
  const token = text(answer, "access_token");
  if (status >= 200 && status < 300 && token !== null) {
    const seconds: unknown = Reflect.get(answer, "expires_in");
    const holds = typeof seconds === "number" && seconds > 0 ? seconds : assertionSeconds;
    return { headers: ["authorization", `Bearer ${token}`], expiresAt: wall + holds * 1000 };
  }
  const said = [text(answer, "error"), text(answer, "error_description")].filter((part) => part !== null).join(", ");
  const reason = `Google refused a token with status ${status}${said === "" ? "" : ` (${said})`}`;
  // A key that is revoked, or an account that is gone: https://datatracker.ietf.org/doc/html/rfc6749#section-5.2.
  return { denied: status === 400 || status === 401 ? "rejected" : "forbidden", reason };
}

function parsed(body: string): object {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

function text(holder: object, name: string): string | null {
  const value: unknown = Reflect.get(holder, name);
  return typeof value === "string" && value !== "" ? value : null;
}
