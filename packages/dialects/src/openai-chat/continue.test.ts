import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { SentAnswer, textPart } from "../completion/sent.ts";
import { continuationOf } from "../providers/continuation.ts";
import { continuationProbe, showsContinuation } from "./continuation-probe.ts";
import { completable, continueRequest } from "./continue.ts";

const vllm = continuationOf("vllm");

function sentText(text: string, pieces = 1): SentAnswer {
  const sent = new SentAnswer();
  const size = Math.ceil(text.length / pieces);
  for (let at = 0; at < text.length; at += size) sent.add(0, textPart, text.slice(at, at + size));
  return sent;
}

const body = (fields: object): Buffer =>
  Buffer.from(JSON.stringify({ model: "m", messages: [{ role: "user", content: "Hi" }], ...fields }));
const parsed = (bytes: Buffer): Record<string, unknown> => JSON.parse(bytes.toString()) as Record<string, unknown>;

describe("the request to go on", () => {
  it("is the client's own, to the byte, with the answer so far as its last message", () => {
    const own = '{ "seed": 12345678901234567890,  "messages" : [ {"role":"user","content":"Hi é"} ] , "model":"m" }';
    expect(continueRequest(Buffer.from(own), sentText("Good day \n"), continuationOf("mistral")).toString()).toBe(
      '{ "seed": 12345678901234567890,  "messages" : [ {"role":"user","content":"Hi é"} ,{"role":"assistant","content":"Good day","prefix":true}] , "model":"m" }',
    );
  });

  it("has the members of the provider's way, in place of the client's", () => {
    const request = parsed(continueRequest(body({ add_generation_prompt: true }), sentText("Good"), vllm));
    expect(request).toMatchObject({ continue_final_message: true, add_generation_prompt: false });
  });

  it.each([
    ["max_tokens", 100, 95],
    ["max_completion_tokens", 100, 95],
    ["max_tokens", 3, 1],
    ["max_tokens", null, null],
  ])("asks for less by what was sent: %s %s becomes %s", (member, limit, left) => {
    expect(parsed(continueRequest(body({ [member]: limit }), sentText("Good day to you", 5), vllm))[member]).toBe(left);
  });

  it("quotes the last words when it asks as a user would", () => {
    const { messages } = parsed(continueRequest(body({}), sentText(`${"x".repeat(500)} the end`), null)) as {
      messages: { role: string; content: string }[];
    };
    expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
    expect(messages[2]?.content).toContain('xxx the end"');
    expect(messages[2]?.content.length).toBeLessThan(600);
  });

  it("stays valid JSON with exactly one message more, whatever the messages and the text are", () => {
    fc.assert(
      fc.property(fc.array(fc.json()), fc.string({ unit: "binary", minLength: 1 }), (messages, text) => {
        const own = `{"model":"m","messages":[${messages.join(",")}]}`;
        const asked = parsed(continueRequest(Buffer.from(own), sentText(text), vllm));
        expect(asked["messages"]).toEqual([
          ...(JSON.parse(own) as { messages: unknown[] }).messages,
          { role: "assistant", content: text.trimEnd() },
        ]);
      }),
    );
  });
});

describe("an answer that broke off", () => {
  it("can be completed in every way when it is plain text", () => {
    expect(completable(body({ tools: [{}], response_format: { type: "text" } }), sentText("Good day"))).toEqual({
      exact: true,
      replay: true,
      anew: false,
      soft: true,
      why: "",
    });
  });

  it.each<[string, object, SentAnswer]>([
    ["several choices were asked for", { n: 2 }, sentText("Good")],
    ["log probabilities were asked for", { top_logprobs: 2 }, sentText("Good")],
    ["the answer has to be JSON", { response_format: { type: "json_object" } }, sentText("{")],
    ["nothing but white space was sent", {}, sentText(" \n")],
    ["it broke off inside a character", {}, sentText("Good \ud83c")],
    ["it broke off inside a character", {}, sentText("Good \u{FFFD}")],
    ["the request itself begins the answer", { messages: [{ role: "assistant", content: "I" }] }, sentText("Good")],
  ])("can only be replayed when %s", (why, fields, sent) => {
    expect(completable(body(fields), sent)).toEqual({ exact: false, replay: true, anew: false, soft: false, why });
  });

  it("can't be completed when what was sent was given up", () => {
    const sent = sentText("Good");
    sent.forget("the answer is spoken");
    expect(completable(body({}), sent)).toMatchObject({ exact: false, replay: false, anew: false, soft: false });
  });
});

describe("the probe", () => {
  const answer = (content: unknown): Buffer => Buffer.from(JSON.stringify({ choices: [{ message: { content } }] }));

  it("breaks off inside a word, and asks in the way of the provider", () => {
    if (vllm === null) throw new Error("vllm has a way");
    const probe = parsed(continuationProbe("their-id", vllm)) as { messages: { content: string }[] };
    expect(probe).toMatchObject({ model: "their-id", continue_final_message: true, temperature: 0 });
    expect(probe.messages.at(-1)?.content).toMatch(/, sev$/);
  });

  it("is passed only by who says the other half of the word", () => {
    expect(showsContinuation(answer("en, eight, nine"))).toBe(true);
    const others = [
      "seven, eight",
      "one, two",
      "one, two, three, four, five, six, seven, eight",
      " en, eight",
      "",
      null,
    ];
    expect(others.map((said) => showsContinuation(answer(said)))).toEqual(others.map(() => false));
    expect(showsContinuation(Buffer.from("<html>"))).toBe(false);
  });
});
