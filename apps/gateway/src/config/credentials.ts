import { createPrivateKey } from "node:crypto";

import { secretRule, type ConfigIssue, type ProviderConfig } from "@tuloy/contract";

import { readAwsKey } from "../upstream/credentials/aws-key.ts";
import { readServiceAccount } from "../upstream/credentials/service-account.ts";
import { presetFor } from "./preset-for.ts";

/** What is wrong with the keys of a provider, as far as can be seen without using them. Never holds one. */
export function credentialIssues(path: ConfigIssue["path"], { kind, keys }: ProviderConfig): ConfigIssue[] {
  const { auth } = presetFor(kind);
  const check = auth !== "none" && "scheme" in auth ? faultsOf[auth.scheme] : headerFault;
  return keys.flatMap(({ value }, index) => {
    const message = check(value);
    return message === null
      ? []
      : [{ path: [...path, "keys", index, "value"], at: "value" as const, message, valid: [], expected: null }];
  });
}

function headerFault(value: string): string | null {
  return /^[\x21-\x7e]+$/.test(value) ? null : secretRule;
}

/** A credential that is shown in a header is checked as one there. */
function awsFault(value: string): string | null {
  const key = readAwsKey(value);
  return "fault" in key ? key.fault : headerFault(value);
}

/** A path is looked at when it is first needed: secrets are often mounted later than the configuration. */
function googleFault(value: string): string | null {
  if (!value.trimStart().startsWith("{")) return null;
  const account = readServiceAccount(value);
  if ("fault" in account) return account.fault;
  return isRsa(account.privateKey)
    ? null
    : "holds a private_key that is no RSA key in PEM: give the file as Google made it, with its line breaks as \\n";
}

function isRsa(pem: string): boolean {
  try {
    return createPrivateKey(pem).asymmetricKeyType === "rsa";
  } catch {
    return false;
  }
}

const faultsOf = { "aws-sigv4": awsFault, "google-oauth": googleFault } as const;
