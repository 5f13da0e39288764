import { geminiUsage, googleError, googleErrorInfo, googleQuotaFailure, googleRetryInfo, sse } from "@tuloy/testkit";
import type { Script } from "@tuloy/testkit";
import OpenAI from "openai";
import { describe, expect, test } from "vitest";

import { aiStudio, answersGemini, askedGemini } from "../../gemini-scene.ts";
import { model } from "../../harness.ts";
import { question, setScene } from "../../scene.ts";

type Chat = Partial<OpenAI.ChatCompletionCreateParamsNonStreaming>;

/** What a caller of the SDK acts on: not the ids and times that each provider makes up. */
function essence({ choices, usage }: OpenAI.ChatCompletion): object {
  return {
    usage: usage && {
      input: usage.prompt_tokens,
      output: usage.completion_tokens,
      total: usage.total_tokens,
      cached: usage.prompt_tokens_details?.cached_tokens,
      reasoning: usage.completion_tokens_details?.reasoning_tokens,
    },
    choices: choices.map(({ index, finish_reason: finish, message }) => ({
      index,
      finish,
      role: message.role,
      content: message.content,
      refusal: message.refusal ?? null,
      reasoning: "reasoning_content" in message ? message.reasoning_content : null,
      calls: message.tool_calls?.map((call) => (call.type === "function" ? call.function : call)) ?? [],
    })),
  };
}

async function heardWhole(client: OpenAI, body: Chat = {}): Promise<object> {
  return essence(await client.chat.completions.create({ ...question, ...body }));
}

async function heardStreamed(client: OpenAI, body: Chat = {}): Promise<object> {
  const options = { include_usage: true };
  const stream = client.chat.completions.stream({ ...question, ...body, stream: true, stream_options: options });
  return essence(await stream.finalChatCompletion());
}

test("a call that Gemini before 3 gives no id has one for the client, and its usage is the provider's", async () => {
  const call = { functionCall: { name: "weather", args: { city: "Cebu" } } };
  const { gateway } = await setScene(
    { a: answersGemini([[call]], { usage: geminiUsage(9, 5) }) },
    { providers: { a: aiStudio } },
  );
  const tools: OpenAI.ChatCompletionTool[] = [{ type: "function", function: { name: "weather" } }];
  const { choices } = await gateway.client().chat.completions.create({ ...question, tools });
  expect(choices[0]?.message.tool_calls).toEqual([
    {
      id: expect.stringMatching(/^.{1,40}$/) as string,
      type: "function",
      function: { name: "weather", arguments: '{"city":"Cebu"}' },
    },
  ]);
  expect((await gateway.lastTrace()).usage).toMatchObject({ source: "provider", input_tokens: 9, output_tokens: 5 });
});

describe("a call to Gemini", () => {
  test("goes where Google takes it, with the key where Google wants it and nowhere else", async () => {
    const { a, gateway } = await setScene({ a: answersGemini([[{ text: "Hi" }]]) }, { providers: { a: aiStudio } });
    await heardWhole(gateway.client({ headers: { "openai-beta": "x" } }));
    await heardStreamed(gateway.client());
    expect(a.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      `POST /v1beta/models/a-${model}:generateContent`,
      `POST /v1beta/models/a-${model}:streamGenerateContent?alt=sse`,
    ]);
    for (const request of a.requests) {
      expect(request.headers["x-goog-api-key"]).toBe("sk-a-secret-key");
      expect(request.headers).not.toHaveProperty("authorization");
      expect(request.headers).not.toHaveProperty("openai-beta");
      expect(askedGemini(request)).toEqual({ contents: [{ role: "user", parts: [{ text: "Say something." }] }] });
    }
  });

  test("tells on the trace what it could not say", async () => {
    const { a, gateway } = await setScene({ a: answersGemini([[{ text: "Hi" }]]) }, { providers: { a: aiStudio } });
    await heardWhole(gateway.client(), { user: "u-1", seed: 2 ** 40, presence_penalty: 1, service_tier: "flex" });
    const { notes } = await gateway.lastTrace();
    expect(notes).toEqual([
      `a/${model}: service_tier was left out: the deployment speaks gemini`,
      `a/${model}: seed was left out: it is no 32-bit integer`,
      `a/${model}: presence_penalty was left out: it is not taken there`,
      `a/${model}: user was left out`,
    ]);
    expect(askedGemini(a.requests[0])).not.toHaveProperty("generationConfig");
  });

  test("is not made for what the dialect has no words for", async () => {
    const { a, gateway } = await setScene({ a: answersGemini([[{ text: "Hi" }]]) }, { providers: { a: aiStudio } });
    await expect(heardWhole(gateway.client(), { n: 2 })).rejects.toMatchObject({ code: "no_deployment_allowed" });
    const named: Chat = { tools: [{ type: "function", function: { name: "2fast" } }] };
    await expect(heardWhole(gateway.client(), named)).rejects.toMatchObject({ code: "no_deployment_allowed" });
    expect(a.requests).toHaveLength(0);
  });

  test("for embeddings goes to Google's endpoint in OpenAI's dialect, with the key as that wants it", async () => {
    const embedded: Script = (reply) =>
      reply.json(200, {
        object: "list",
        data: [{ object: "embedding", index: 0, embedding: [0.5] }],
        model: "e",
        usage: { prompt_tokens: 1, total_tokens: 1 },
      });
    const more = {
      ...aiStudio,
      models: ["vectors: { id: gemini-embedding-001, operation: embeddings, dimensions: 1 }"],
    };
    const { a, gateway } = await setScene({ a: embedded }, { providers: { a: more } });
    const { data } = await gateway
      .client()
      .embeddings.create({ model: "vectors", input: "x", encoding_format: "float" });
    expect(data[0]?.embedding).toEqual([0.5]);
    expect(a.requests[0]).toMatchObject({ path: "/v1beta/openai/embeddings" });
    expect(a.requests[0]?.headers).toMatchObject({ authorization: "Bearer sk-a-secret-key" });
    expect(a.requests[0]?.headers).not.toHaveProperty("x-goog-api-key");
  });
});

describe("what Google refuses", () => {
  const errs =
    (status: number, word: string, message: string, details?: readonly unknown[]): Script =>
    (reply) =>
      reply.json(status, googleError(status, word, message, details));
  const quota = "You exceeded your current quota, please check your plan and billing details. Please retry in 21.5s.";
  const limits = [googleQuotaFailure("GenerateRequestsPerMinutePerProjectPerModel-FreeTier"), googleRetryInfo("21.5s")];

  test.each([
    ["a limit, in OpenAI's words for no credit", errs(429, "RESOURCE_EXHAUSTED", quota, limits), "rate_limited"],
    [
      "credit that is used up",
      errs(429, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted."),
      "quota_exhausted",
    ],
    ["too much to do", errs(503, "UNAVAILABLE", "The model is overloaded."), "overloaded"],
    [
      "a key that is none",
      errs(400, "INVALID_ARGUMENT", "API key not valid.", [googleErrorInfo("API_KEY_INVALID")]),
      "auth",
    ],
    [
      "a project without billing",
      errs(403, "PERMISSION_DENIED", "Billing.", [googleErrorInfo("BILLING_DISABLED")]),
      "quota_exhausted",
    ],
    ["a country", errs(400, "FAILED_PRECONDITION", "User location is not supported for the API use."), "auth"],
    [
      "a model that is not there",
      errs(404, "NOT_FOUND", "models/x is not found for API version v1beta"),
      "model_missing",
    ],
    ["a deadline", errs(504, "DEADLINE_EXCEEDED", "Deadline expired."), "server_error"],
    ["what it gave up itself", errs(499, "CANCELLED", "The operation was cancelled."), "server_error"],
    ["a call that is none", answersGemini([[]], { finishReason: "MALFORMED_FUNCTION_CALL" }), "garbled"],
    [
      "an error in the middle",
      (reply) =>
        reply
          .eventStream()
          .chunk(sse(googleError(500, "INTERNAL", "oops")))
          .end(),
      "server_error",
    ],
    ["an error in an array", (reply) => reply.json(200, [googleError(503, "UNAVAILABLE", "busy")]), "overloaded"],
    ["an answer with nothing in it", answersGemini([[]]), "empty"],
  ] as const satisfies readonly (readonly [string, Script, string])[])(
    "%s goes elsewhere",
    async (_, refused, failure) => {
      const { gateway } = await setScene(
        { a: refused, b: answersGemini([[{ text: "Here." }]]) },
        { providers: { a: aiStudio, b: aiStudio } },
      );
      const heard = await heardStreamed(gateway.client());
      expect(heard).toMatchObject({ choices: [{ content: "Here." }] });
      const { attempts } = await gateway.lastTrace();
      expect(attempts.map((attempt) => attempt.failure)).toEqual([failure, null]);
    },
  );

  test("says when to come back", async () => {
    const { gateway } = await setScene(
      { a: errs(429, "RESOURCE_EXHAUSTED", quota, limits) },
      { providers: { a: aiStudio } },
    );
    const refused = await heardWhole(gateway.client()).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(OpenAI.RateLimitError);
    expect(refused instanceof OpenAI.APIError && refused.headers?.get("retry-after")).toBe("22");
  });

  test("of the request itself is told, and nobody else is asked", async () => {
    const bad = errs(400, "INVALID_ARGUMENT", "Unsupported MIME type: image/bmp");
    const { b, gateway } = await setScene(
      { a: bad, b: answersGemini([[{ text: "never" }]]) },
      { providers: { a: aiStudio, b: aiStudio } },
    );
    await expect(heardWhole(gateway.client())).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining("image/bmp"),
    });
    expect(b.requests).toHaveLength(0);
  });

  test("of a prompt is a filter's cut, and is not evaded", async () => {
    const blocked: Script = (reply) =>
      reply.json(200, { promptFeedback: { blockReason: "SAFETY" }, usageMetadata: geminiUsage(5, 0) });
    const { b, gateway } = await setScene(
      { a: blocked, b: answersGemini([[{ text: "never" }]]) },
      { providers: { a: aiStudio, b: aiStudio } },
    );
    expect(await heardWhole(gateway.client())).toMatchObject({ choices: [{ finish: "content_filter", content: "" }] });
    expect(b.requests).toHaveLength(0);
    expect((await gateway.lastTrace()).notes).toContain("the provider's filter refused the prompt: SAFETY");
  });
});
