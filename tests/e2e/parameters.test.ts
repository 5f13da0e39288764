import { answersChat, answersError } from "@tuloy/testkit";
import { describe, expect, test } from "vitest";

import { model } from "../harness.ts";
import { hearStream, post, question, setScene } from "../scene.ts";
import { errorOf } from "../shared-scene.ts";

const busy = answersError(503, null, "Busy.");
const bodyOf = (request: { readonly body: Buffer } | undefined): unknown =>
  JSON.parse(request?.body.toString() ?? "null");

describe("a backup that takes parameters otherwise", () => {
  const providers = {
    b: { model: "parameters: { refuses: [max_completion_tokens, top_k, reasoning], max_stops: 2 }" },
  };

  test("gets them in its own terms, while the primary gets the client's; the trace says what differs", async () => {
    const { a, b, gateway } = await setScene({ a: busy, b: answersChat("From B.") }, { providers });
    const asked = {
      ...question,
      max_completion_tokens: 50,
      top_k: 5,
      temperature: 0.3,
      reasoning: { effort: "low" },
      stop: ["x", "y"],
    };
    const { data, response } = await gateway.client().chat.completions.create(asked).withResponse();
    expect(data.choices[0]?.message.content).toBe("From B.");
    expect(bodyOf(a.requests[0])).toEqual({ ...asked, model: `a-${model}` });
    expect(bodyOf(b.requests[0])).toEqual({
      ...question,
      model: `b-${model}`,
      max_tokens: 50,
      temperature: 0.3,
      reasoning_effort: "low",
      stop: ["x", "y"],
    });
    const trace = await gateway.trace(response.headers.get("x-tuloy-trace-id"));
    expect(trace.notes).toEqual([
      `b/${model}: max_completion_tokens was sent as max_tokens`,
      `b/${model}: top_k was left out: it is not taken there`,
      `b/${model}: reasoning was sent as reasoning_effort`,
    ]);
  });

  test("gets them so in a stream too, beside the wish for usage", async () => {
    const { b, gateway } = await setScene({ a: busy, b: answersChat("From B.") }, { providers });
    const heard = await hearStream(gateway.client(), { max_completion_tokens: 50, top_k: 5 } as object);
    expect([heard.text, heard.error]).toEqual(["From B.", null]);
    expect(bodyOf(b.requests[0])).toEqual({
      ...question,
      model: `b-${model}`,
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 50,
    });
  });

  test("is left out where the request requires every parameter, and one in another spelling is no reason", async () => {
    const { b, gateway } = await setScene({ a: busy, b: answersChat("From B.") }, { providers });
    const require_parameters = true;
    const left = await post(gateway, { top_k: 5, provider: { require_parameters } });
    expect(left.status).toBe(503);
    expect(b.acceptedSockets).toBe(0);
    expect((await gateway.trace(String(left.headers["x-tuloy-trace-id"]))).exclusions).toEqual([
      {
        deployment: `b/${model}`,
        reason: "parameters",
        detail: "the request sets top_k, which this deployment does not take",
      },
    ]);
    const spelled = await post(gateway, { max_completion_tokens: 5, provider: { require_parameters } });
    expect(spelled.status).toBe(200);
  });

  test("is left out for what the answer depends on, and a request that nobody can serve so says why", async () => {
    const { gateway } = await setScene({ b: answersChat("never asked") }, { providers });
    const answer = await post(gateway, { stop: ["x", "y", "z"] });
    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toMatchObject({ code: "no_deployment_allowed" });
    expect(errorOf(answer).message).toContain("the request has 3 stop sequences, this deployment takes 2");
  });
});
