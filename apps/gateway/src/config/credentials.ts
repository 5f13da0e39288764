import { secretRule, type ConfigIssue, type ProviderConfig } from "@tuloy/contract";

import { readServiceAccount } from "../upstream/credentials/service-account.ts";
import { presetFor } from "./preset-for.ts";

/** What is wrong with the keys of a provider, as far as can be seen without using them. Never holds one. */
export function credentialIssues(path: ConfigIssue["path"], { kind, keys }: ProviderConfig): ConfigIssue[] {
  const { auth } = presetFor(kind);
  const check = auth !== "none" && "scheme" in auth && auth.scheme === "google-oauth" ? googleFault : headerFault;
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

/** A path is looked at when it is first needed: secrets are often mounted later than the configuration. */
function googleFault(value: string): string | null {
  if (!value.trimStart().startsWith("{")) return null;
  const account = readServiceAccount(value);
  return "fault" in account ? account.fault : null;
}
