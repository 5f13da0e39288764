import { answersChat, answersError } from "@tuloy/testkit";
import OpenAI from "openai";
import { describe, expect, test } from "vitest";

import { breakerOf, caught, post, question, setScene, untouched } from "../scene.ts";

describe("a fault of the request itself", () => {
  test("is surfaced to the byte after exactly one call", async () => {
    const body =
      '{"error": {"message":"\'messages\' must not be empty – ñ", "type":"invalid_request_error","param":"messages","code":null}}\n';
    const { a, b, gateway } = await setScene({
      a: (reply) =>
        reply
          .status(400)
          .headers({ "content-type": "application/json; charset=utf-8" }, Buffer.byteLength(body))
          .chunk(body),
      b: answersChat("never asked"),
    });
    const answer = await post(gateway);
    expect([answer.status, answer.text()]).toEqual([400, body]);
    expect(answer.headers).toMatchObject({
      "content-type": "application/json; charset=utf-8",
      "x-should-retry": "false",
      "x-tuloy-attempts": "1",
    });
    const error = await caught(gateway.client({ maxRetries: 2 }).chat.completions.create(question));
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect([a.requests.length, b.requests.length]).toEqual([2, 0]);
    expect(breakerOf(gateway, "a").view(0)).toEqual(untouched);
  });

  test("that only a backup finds is that backup's quirk: the next one answers", async () => {
    const { a, b, c, gateway } = await setScene({
      a: answersError(503, null, "Busy."),
      b: answersError(400, null, "Unknown parameter."),
      c: answersChat("From C."),
    });
    const { data } = await gateway.client().chat.completions.create(question).withResponse();
    expect(data.choices[0]?.message.content).toBe("From C.");
    expect([a, b, c].map(({ requests }) => requests.length)).toEqual([1, 1, 1]);
  });

  test.each([
    ["Azure's content_filter", "content_filter"],
    ["OpenAI's content_policy_violation", "content_policy_violation"],
  ])("%s is surfaced, and no other provider receives the prompt", async (_name, code) => {
    const { a, b, gateway } = await setScene({
      a: answersError(400, code, "The response was filtered."),
      b: answersChat("never asked"),
    });
    const error = await caught(gateway.client({ maxRetries: 2 }).chat.completions.create(question));
    expect(error).toMatchObject({ status: 400, code });
    expect([a.requests.length, b.requests.length]).toEqual([1, 0]);
    expect(b.acceptedSockets).toBe(0);
    expect((await gateway.lastTrace()).attempts).toMatchObject([{ failure: "content_filter" }]);
  });
});

const tooLong = answersError(
  400,
  "context_length_exceeded",
  "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
);

describe("a prompt that is too long", () => {
  test.each([
    ["the twin's window is the same", "context: 8192", "context: 8192"],
    ["the twin's window is smaller", "context: 8192", "context: 4096"],
    ["nobody knows the windows", "", ""],
    ["nobody knows the twin's window", "context: 8192", ""],
  ])("is never sent again when %s", async (_name, ofA, ofB) => {
    const { a, b, gateway } = await setScene(
      { a: tooLong, b: answersChat("never asked") },
      { providers: { a: { model: ofA }, b: { model: ofB } } },
    );
    const error = await caught(gateway.client({ maxRetries: 2 }).chat.completions.create(question));
    expect(error).toMatchObject({ status: 400, code: "context_length_exceeded" });
    expect([a.requests.length, b.requests.length]).toEqual([1, 0]);
    expect(breakerOf(gateway, "a").view(0)).toEqual(untouched);
  });

  test("goes to a twin with a window that is known to be larger, past one of the same size", async () => {
    const { a, b, c, gateway } = await setScene(
      { a: tooLong, b: answersChat("never asked"), c: answersChat("It fits here.") },
      { providers: { a: { model: "context: 8192" }, b: { model: "context: 8192" }, c: { model: "context: 32768" } } },
    );
    const { data } = await gateway.client().chat.completions.create(question).withResponse();
    expect(data.choices[0]?.message.content).toBe("It fits here.");
    expect([a, b, c].map(({ requests }) => requests.length)).toEqual([1, 0, 1]);
  });
});
