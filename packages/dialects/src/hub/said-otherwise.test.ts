import type { Dialect } from "@tuloy/contract";
import { describe, expect, it } from "vitest";

import { upstreamCodec } from "./codecs.ts";
import { hubRequest, writeTarget } from "./hub.test-data.ts";
import type { HubMessage, HubPart, HubRequest } from "./request.ts";

const plain = hubRequest({ messages: [{ role: "user", parts: [text("Hi")] }], maxTokens: 100 });

function text(said: string): HubPart {
  return { kind: "text", text: said, cache: null };
}
const user = (...parts: readonly HubPart[]): HubMessage => ({ role: "user", parts });
const assistant = (...parts: readonly HubPart[]): HubMessage => ({ role: "assistant", parts });
const call: HubPart = { kind: "tool_call", id: "c1", name: "f", arguments: "{}", cache: null };
const result = (isError: boolean, ...parts: readonly HubPart[]): HubMessage =>
  user({ kind: "tool_result", callId: "c1", name: "f", isError, parts, cache: null });
const png: HubPart = {
  kind: "image",
  source: { at: "inline", mediaType: "image/png", data: "AAAA" },
  detail: null,
  cache: null,
};
const called = (...rest: readonly HubMessage[]): readonly HubMessage[] => [user(text("Hi")), assistant(call), ...rest];
const proof = { dialect: "gemini", data: "sig" } as const;

const joined = "texts that stood side by side were sent as one, with blank lines between them";
const refusal = "an earlier refusal was sent as text";
const proofs = "signatures of earlier calls were left out: they are for the model that made them";
const marks = "prompt-cache marks were left out";
const blank = "text of nothing but white space was left out: it is refused there";
const dialects = ["openai-chat", "openai-responses", "anthropic-messages", "gemini", "bedrock-converse"] as const;
type Notes = Readonly<Partial<Record<Dialect, string>>>;

/** What is said, and what each dialect notes that can't say it so. */
const said: readonly (readonly [what: string, request: Partial<HubRequest>, notes: Notes])[] = [
  ["a plain question", {}, {}],
  [
    "a system prompt in parts",
    {
      system: [
        { kind: "text", text: "a", cache: null },
        { kind: "text", text: "b", cache: null },
      ],
    },
    { "openai-chat": joined, "openai-responses": joined },
  ],
  ["a question in parts", { messages: [user(text("a"), text("b"))] }, { "openai-chat": joined }],
  [
    "an answer in parts",
    { messages: [user(text("?")), assistant(text("a"), text("b")), user(text("!"))] },
    { "openai-chat": joined },
  ],
  ["a result", { messages: called(result(false, text("a"))) }, {}],
  [
    "a result in parts",
    { messages: called(result(false, text("a"), text("b"))) },
    { "openai-chat": joined, "openai-responses": joined, gemini: joined },
  ],
  [
    "a tool that failed",
    { messages: called(result(true, text("no such city"))) },
    {
      "openai-chat": "that a tool failed is said by 'Error: ' before its output",
      "openai-responses": "that a tool failed is said by its output alone",
      "bedrock-converse": "that a tool failed was left out",
    },
  ],
  [
    "a tool that failed and says so",
    { messages: called(result(true, text("Error 404"))) },
    {
      "openai-chat": "that a tool failed is said by its output alone",
      "openai-responses": "that a tool failed is said by its output alone",
      "bedrock-converse": "that a tool failed was left out",
    },
  ],
  [
    "a picture that a tool gave back",
    { messages: called(result(false, text("a"), png)) },
    { "openai-chat": "what a tool gave back besides text was sent as the user's: a result holds text alone there" },
  ],
  [
    "an earlier refusal",
    { messages: [user(text("?")), assistant({ kind: "refusal", text: "No.", cache: null }), user(text("!"))] },
    { "anthropic-messages": refusal, gemini: refusal, "bedrock-converse": refusal },
  ],
  [
    "a call that Google's model signed",
    { messages: [user(text("?")), assistant({ ...call, opaque: proof }), result(false, text("a"))] },
    { "openai-chat": proofs, "openai-responses": proofs, "anthropic-messages": proofs, "bedrock-converse": proofs },
  ],
  [
    "a prompt-cache mark",
    { messages: [user({ kind: "text", text: "a", cache: { ttl: null } })] },
    {
      "openai-chat": marks,
      "openai-responses": marks,
      gemini: `${marks}: Gemini caches by itself`,
      "bedrock-converse": marks,
    },
  ],
  [
    "white space alone",
    { messages: [user(text("a"), png, text(" \n"))] },
    { "anthropic-messages": blank, "bedrock-converse": blank },
  ],
];

describe.each(dialects)("a request in %s", (dialect) => {
  it.each(said)("notes all that is not said as the client said it: %s", (_what, request, notes) => {
    const codec = upstreamCodec(dialect);
    const written = codec?.write({ ...plain, ...request }, writeTarget());
    expect(written?.notes).toEqual(notes[dialect] === undefined ? [] : [notes[dialect]]);
  });
});
