/** What a key's value says of how calls to AWS are to be authorized. */
export type AwsKey =
  /** An API key of Bedrock: https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-use.html */
  | { readonly kind: "bearer"; readonly token: string }
  | {
      readonly kind: "signing";
      readonly accessKeyId: string;
      readonly secretAccessKey: string;
      readonly sessionToken: string | null;
    }
  /** What the process finds in its surroundings: environment, profile, role. */
  | { readonly kind: "ambient" };

const accessKeyId = /^\w{8,128}$/;

/**
 * Tells the three apart. Only credentials for signing have colons, and no part of them can have one of its own.
 * @returns what is wrong, as the rest of a sentence about the value, which it does not hold
 */
export function readAwsKey(value: string): AwsKey | { readonly fault: string } {
  if (value === "ambient") return { kind: "ambient" };
  const [id = "", secretAccessKey, sessionToken, ...more] = value.split(":");
  if (secretAccessKey === undefined) {
    if (/^(?:AKIA|ASIA)[A-Z0-9]{12,}$/.test(id))
      return { fault: "is an access key without its secret; write ACCESS_KEY_ID:SECRET" };
    return { kind: "bearer", token: value };
  }
  if (!accessKeyId.test(id) || secretAccessKey === "" || sessionToken === "" || more.length > 0)
    return { fault: "is not of the form ACCESS_KEY_ID:SECRET or ACCESS_KEY_ID:SECRET:SESSION_TOKEN" };
  return { kind: "signing", accessKeyId: id, secretAccessKey, sessionToken: sessionToken ?? null };
}
