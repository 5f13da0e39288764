import { generateKeyPairSync } from "node:crypto";

import { geminiEvents, geminiResponse } from "@tuloy/testkit";
import type { GeminiShape, ReceivedRequest, Script } from "@tuloy/testkit";

import type { TestProvider } from "./harness.ts";

/** A provider like AI Studio. */
export const aiStudio = { kind: "gemini", base: "/v1beta" } satisfies Partial<TestProvider>;

/** Answers as `generateContent` or as its stream, whichever was asked for: a list of parts for each event. */
export function answersGemini(pieces: readonly (readonly unknown[])[], shape: GeminiShape = {}): Script {
  return (reply, request) => {
    if (!request.path.includes(":streamGenerateContent?alt=sse")) {
      return reply.json(200, geminiResponse(joined(pieces.flat()), shape));
    }
    return geminiEvents(pieces, shape)
      .reduce((said, event) => said.chunk(event), reply.eventStream())
      .end();
  };
}

/** Neighbouring texts of one kind in one, as in an answer that is not streamed. */
function joined(parts: readonly unknown[]): unknown[] {
  const all: Record<string, unknown>[] = [];
  for (const part of parts as Record<string, unknown>[]) {
    const last = all.at(-1);
    const plain = typeof part["text"] === "string" && typeof last?.["text"] === "string";
    if (last !== undefined && plain && last["thought"] === part["thought"] && !("thoughtSignature" in last)) {
      all.splice(-1, 1, { ...last, ...part, text: String(last["text"]) + String(part["text"]) });
    } else all.push(part);
  }
  return all;
}

export interface AskedGemini {
  readonly contents: readonly { readonly role: string; readonly parts: readonly Record<string, unknown>[] }[];
  readonly [member: string]: unknown;
}

export const askedGemini = (request: ReceivedRequest | undefined): AskedGemini => request?.json() as AskedGemini;

/** A service account's key file with a key of its own, in the quotes of YAML. */
export function keyFile(tokenUri: string): { readonly yaml: string; readonly privateKey: string } {
  const { privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const file = {
    type: "service_account",
    client_email: "tuloy@my-project.iam.gserviceaccount.com",
    private_key: privateKey,
    token_uri: tokenUri,
  };
  return { yaml: `'${JSON.stringify(file)}'`, privateKey };
}

/** A provider like Vertex AI, whose tokens come from `tokenUri`. */
export function vertexAt(tokenUri: string): Omit<TestProvider, "url"> {
  return {
    kind: "vertex",
    base: "/v1/projects/{project}/locations/{location}",
    facts: "project: my-project, location: europe-west4",
    keys: [keyFile(tokenUri).yaml],
  };
}
