/** What of a service account's key file is needed to sign in with it. */
export interface ServiceAccount {
  readonly clientEmail: string;
  readonly privateKey: string;
  readonly privateKeyId: string | null;
  /** Where tokens are to be had, as the file says; null: Google's own address. */
  readonly tokenUri: string | null;
}

/**
 * Reads a service account's key file.
 * @returns what is wrong with it, as the rest of a sentence, without anything of its content
 */
export function readServiceAccount(json: string): ServiceAccount | { readonly fault: string } {
  const file = parsed(json);
  if (typeof file !== "object" || file === null) return { fault: "is no valid JSON" };
  const member = (name: string): string | null => {
    const value: unknown = Reflect.get(file, name);
    return typeof value === "string" && value !== "" ? value : null;
  };
  if (member("type") !== "service_account") {
    return {
      fault: "is no service account's key file: its type has to be service_account; other credentials go by ambient",
    };
  }
  const clientEmail = member("client_email");
  const privateKey = member("private_key");
  if (clientEmail === null || privateKey === null) {
    return {
      fault: `is no whole service account's key file: ${clientEmail === null ? "client_email" : "private_key"} is missing`,
    };
  }
  return { clientEmail, privateKey, privateKeyId: member("private_key_id"), tokenUri: member("token_uri") };
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}
