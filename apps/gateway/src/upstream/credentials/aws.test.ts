import { presetOf } from "@tuloy/dialects";
import { signatureFault, type SigningSecret } from "@tuloy/testkit";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";

import type { Authorization, UnauthorizedCall } from "../outlet.ts";
import { readAwsKey } from "./aws-key.ts";
import { awsAuthorizer } from "./aws.ts";

const bedrock = presetOf("bedrock");
if (bedrock === null) throw new Error("there is no bedrock");

/** Those of AWS's own examples. */
const id = "AKIDEXAMPLE";
const secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const token =
  "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";
const wall = Date.UTC(2015, 7, 30, 12, 36, 0);

function authorizer(
  value: string | null,
  service = "service",
  location = "us-east-1",
): ReturnType<typeof awsAuthorizer> {
  const preset = { ...bedrock, auth: { scheme: "aws-sigv4" as const, service } };
  return awsAuthorizer({ location, preset: preset as NonNullable<typeof bedrock> }, value);
}

function call(more: Partial<UnauthorizedCall> = {}): UnauthorizedCall {
  return {
    method: "POST",
    url: new URL("https://example.amazonaws.com/"),
    headers: ["accept", "*/*"],
    body: Buffer.alloc(0),
    wall,
    ...more,
  };
}

function headersOf(answer: Authorization): Record<string, string> {
  if ("denied" in answer) throw new Error(answer.reason);
  const { headers } = answer;
  return Object.fromEntries(headers.flatMap((name, at) => (at % 2 === 0 ? [[name, headers[at + 1] ?? ""]] : [])));
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("a signature", () => {
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-test-suite… : post-vanilla, post-x-www-form-urlencoded
  it.each([
    ["of nothing", call(), "host;x-amz-date", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"],
    [
      "of a body with its type",
      call({ headers: ["content-type", "application/x-www-form-urlencoded"], body: Buffer.from("Param1=value1") }),
      "content-type;host;x-amz-date",
      "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    ],
  ])("%s is the one that AWS gives for it", async (_, asked, signedHeaders, signature) => {
    const headers = headersOf(await authorizer(`${id}:${secret}`)(asked));
    expect(headers).toEqual({
      "x-amz-date": "20150830T123600Z",
      authorization: `AWS4-HMAC-SHA256 Credential=${id}/20150830/us-east-1/service/aws4_request, SignedHeaders=${signedHeaders}, Signature=${signature}`,
    });
  });

  it("covers the session token and sends it along", async () => {
    const headers = headersOf(await authorizer(`${id}:${secret}:${token}`)(call()));
    expect(headers["x-amz-security-token"]).toBe(token);
    // Of the same suite: post-sts-header-before.
    expect(headers.authorization).toContain("SignedHeaders=host;x-amz-date;x-amz-security-token");
    expect(headers.authorization).toContain(
      "Signature=85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
    );
  });

  it("holds for any model, region, time and body, as one finds who only knows how AWS describes it", async () => {
    const keys: SigningSecret = { accessKeyId: id, secretAccessKey: secret, region: "eu-west-1", service: "bedrock" };
    const sign = authorizer(`${id}:${secret}`, "bedrock", "eu-west-1");
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string({ minLength: 1, unit: "grapheme" }),
          fc.constant("arn:aws:bedrock:eu-west-1:1:inference-profile/eu.a.b-v1:0"),
        ),
        fc.uint8Array({ maxLength: 200 }),
        fc.integer({ min: 0, max: 4_000_000_000_000 }),
        async (model, bytes, when) => {
          const path = `/model/${encodeURIComponent(model.toWellFormed())}/converse`;
          const body = Buffer.from(bytes);
          const url = new URL(`https://bedrock-runtime.eu-west-1.amazonaws.com:8443${path}`);
          const own = { "content-type": "application/json", "user-agent": "x" };
          const headers = headersOf(await sign(call({ url, body, wall: when, headers: Object.entries(own).flat() })));
          const arrived = { method: "POST", path: url.pathname, headers: { ...own, host: url.host, ...headers }, body };
          expect(signatureFault(arrived, keys)).toBeNull();
          expect(signatureFault({ ...arrived, body: Buffer.concat([body, body, Buffer.of(1)]) }, keys)).not.toBeNull();
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe("a key for AWS", () => {
  it("that is one of Bedrock's own is shown as it is", async () => {
    const shown = { headers: ["authorization", "Bearer ABSKQmVkcm9jaw=="] };
    expect(await authorizer("ABSKQmVkcm9jaw==")(call())).toEqual(shown);
  });

  it("that is ambient is what AWS's tools find, which is asked for at each call", async () => {
    vi.stubEnv("AWS_ACCESS_KEY_ID", id);
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", secret);
    const headers = headersOf(await authorizer("ambient")(call()));
    expect(headers.authorization).toContain("5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
  });

  it("that is not to be read is rejected, and nothing is signed with it", async () => {
    expect(await authorizer("a:b:c:d")(call())).toEqual({
      denied: "rejected",
      reason: expect.stringContaining("form"),
    });
  });

  it.each([
    ["ambient", { kind: "ambient" }],
    ["ABSKabc=", { kind: "bearer", token: "ABSKabc=" }],
    [
      "bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t",
      { kind: "bearer", token: "bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t" },
    ],
    [`${id}:a/b+c`, { kind: "signing", accessKeyId: id, secretAccessKey: "a/b+c", sessionToken: null }],
    [`${id}:a:t==`, { kind: "signing", accessKeyId: id, secretAccessKey: "a", sessionToken: "t==" }],
    ["AKIAIOSFODNN7EXAMPLE", { fault: "is an access key without its secret; write ACCESS_KEY_ID:SECRET" }],
    ["short:secret", { fault: expect.stringContaining("ACCESS_KEY_ID:SECRET") }],
    [`${id}:`, { fault: expect.stringContaining("ACCESS_KEY_ID:SECRET") }],
    [`${id}:a:`, { fault: expect.stringContaining("ACCESS_KEY_ID:SECRET") }],
    [`${id}:a:b:c`, { fault: expect.stringContaining("ACCESS_KEY_ID:SECRET") }],
  ])("%s is told apart", (value, key) => {
    expect(readAwsKey(value)).toEqual(key);
  });
});
