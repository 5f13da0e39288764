import { describe, expect, it } from "vitest";

import { SentAnswer, textPart } from "../completion/sent.ts";
import { continuationOf } from "../providers/continuation.ts";
import { bedrockConverse } from "./codec.ts";
import { request, target, user } from "./request.test-data.ts";

function sentOf(...pieces: readonly string[]): SentAnswer {
  const sent = new SentAnswer();
  for (const piece of pieces) sent.add(0, textPart, piece);
  return sent;
}

const thinking = { enabled: true, effort: null, budget: 2000, shown: null };
const body = bedrockConverse.write(
  request({ messages: [user("Tell.")], maxTokens: 3000, temperature: null, topK: null, reasoning: thinking }),
  target(),
).body;

describe("going on with an answer that broke off", () => {
  it("is a last turn of the assistant, without thinking and with what is left of the limit", () => {
    const exact = bedrockConverse.continueRequest(body, sentOf("Once ", "upon "), continuationOf("assistant-prefix"));
    expect(JSON.parse(exact.toString())).toEqual({
      messages: [
        { role: "user", content: [{ text: "Tell." }] },
        { role: "assistant", content: [{ text: "Once upon" }] },
      ],
      inferenceConfig: { maxTokens: 2998 },
      additionalModelRequestFields: {},
    });
  });

  it("is softly asked for by a turn of the user", () => {
    const soft: unknown = JSON.parse(bedrockConverse.continueRequest(body, sentOf("Once ", "upon "), null).toString());
    expect(soft).toMatchObject({
      messages: [
        { role: "user" },
        { role: "assistant", content: [{ text: "Once upon " }] },
        { role: "user", content: [{ text: expect.stringContaining('"Once upon "') }] },
      ],
      additionalModelRequestFields: { thinking: { type: "enabled" } },
    });
  });

  it("never asks for less than one token", () => {
    const { body: short } = bedrockConverse.write(request({ maxTokens: 2 }), target());
    const exact = bedrockConverse.continueRequest(short, sentOf("a ", "b ", "c "), continuationOf("assistant-prefix"));
    expect(JSON.parse(exact.toString())).toMatchObject({ inferenceConfig: { maxTokens: 1 } });
  });
});
