import { describe, expect, it } from "vitest";

import { openaiCompatible } from "../providers/openai-compatible.ts";
import { openai } from "../providers/openai.ts";
import type { ProviderPreset } from "../providers/preset.ts";
import { classifyErrorObject, classifyResponse } from "./classify.ts";
import { codeSignals, messageSignals, typeSignals } from "./table.ts";

function classify(
  status: number,
  body: unknown,
  {
    headers = {},
    preset = openaiCompatible,
  }: { headers?: Record<string, string>; preset?: Pick<ProviderPreset, "markers"> } = {},
): ReturnType<typeof classifyResponse> {
  return classifyResponse({
    status,
    headers: (name) => headers[name],
    body: Buffer.from(typeof body === "string" ? body : JSON.stringify(body)),
    preset,
    wall: 0,
  });
}

const error = (code: unknown, message = "Something.", type = "invalid_request_error"): object => ({
  error: { message, type, param: null, code },
});

describe("classifyResponse", () => {
  it.each([
    // Billing: OpenAI keeps one type, the code tells.
    [429, error("insufficient_quota", "You exceeded your current quota", "insufficient_quota"), "quota_exhausted"],
    [429, error("credit_balance_exhausted", "x", "insufficient_quota"), "quota_exhausted"],
    [429, error("organization_spend_limit_exceeded", "x", "insufficient_quota"), "quota_exhausted"],
    [429, error("project_spend_limit_exceeded", "x", "insufficient_quota"), "quota_exhausted"],
    [429, error("organization_usage_limit_exceeded", "x", "insufficient_quota"), "quota_exhausted"],
    [429, error("billing_not_active"), "quota_exhausted"],
    [429, error(null, "x", "insufficient_quota"), "quota_exhausted"],
    [
      429,
      {
        type: "error",
        error: { type: "rate_limit_error", message: "x", details: { error_code: "enforced_spend_limit_reached" } },
      },
      "quota_exhausted",
    ],
    [402, { type: "error", error: { type: "billing_error", message: "x" } }, "quota_exhausted"],
    [402, "Payment required", "quota_exhausted"],
    [
      400,
      {
        type: "error",
        error: {
          type: "invalid_request_error",
          message: "Your credit balance is too low to access the Anthropic API.",
        },
      },
      "quota_exhausted",
    ],
    [
      400,
      {
        type: "error",
        error: {
          type: "invalid_request_error",
          message: "You have reached your specified API usage limits. You will regain access on 2026-12-01.",
        },
      },
      "quota_exhausted",
    ],
    [
      403,
      { code: "x", error: "Your team has either used all available credits or reached its monthly spending limit." },
      "quota_exhausted",
    ],
    // Limits that pass.
    [429, error("rate_limit_exceeded", "x", "tokens"), "rate_limited"],
    [413, error("rate_limit_exceeded", "Request too large on tokens per minute", "tokens"), "rate_limited"],
    [429, error("slow_down", "x", "rate_limit_error"), "rate_limited"],
    [503, error("slow_down"), "rate_limited"],
    [429, "", "rate_limited"],
    [429, [{ error: { code: 429, message: "Resource exhausted", status: "RESOURCE_EXHAUSTED" } }], "rate_limited"],
    // Too much to do.
    [503, error("server_is_overloaded", "x", "server_error"), "overloaded"],
    [500, { type: "error", error: { type: "overloaded_error", message: "Overloaded" } }, "overloaded"],
    [529, "", "overloaded"],
    [503, "<html>Service Unavailable</html>", "overloaded"],
    [503, { error: { code: 503, message: "Loading model", type: "unavailable_error" } }, "overloaded"],
    [498, "", "overloaded"],
    // Their fault.
    [500, error(null, "The server had an error", "server_error"), "server_error"],
    [408, "", "server_error"],
    [502, "<html>Bad gateway</html>", "server_error"],
    [504, "", "server_error"],
    ...[520, 521, 522, 523, 524, 525, 526, 527, 528, 530].map(
      (status) => [status, "error code", "server_error"] as const,
    ),
    // Too long.
    [400, error("context_length_exceeded"), "context_length"],
    [413, error("context_length_exceeded"), "context_length"],
    [
      400,
      {
        object: "error",
        message: "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens",
        type: "BadRequestError",
        param: null,
        code: 400,
      },
      "context_length",
    ],
    [
      400,
      error(
        400,
        "You passed 1015 input tokens and requested 10 output tokens. However, the model's context length is only 1024 tokens",
        "BadRequestError",
      ),
      "context_length",
    ],
    [
      400,
      error(400, "The decoder prompt (length 5000) is longer than the maximum model length of 4096."),
      "context_length",
    ],
    [
      400,
      {
        object: "error",
        message: "The input (5000 tokens) is longer than the model's context length (4096 tokens).",
        code: 400,
      },
      "context_length",
    ],
    [
      400,
      {
        error: {
          code: 400,
          message: "the request exceeds the available context size",
          type: "exceed_context_size_error",
          n_prompt_tokens: 9,
          n_ctx: 4,
        },
      },
      "context_length",
    ],
    [
      500,
      {
        error: {
          code: 500,
          message: "the request exceeds the available context size",
          type: "exceed_context_size_error",
        },
      },
      "context_length",
    ],
    [400, { error: { message: "the input length exceeds the context length", type: "api_error" } }, "context_length"],
    [
      400,
      {
        type: "error",
        error: { type: "invalid_request_error", message: "prompt is too long: 210000 tokens > 200000 maximum" },
      },
      "context_length",
    ],
    [
      422,
      {
        error: "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096.",
        error_type: "validation",
      },
      "context_length",
    ],
    // A filter.
    [
      400,
      {
        error: {
          code: "content_filter",
          message: "x",
          type: null,
          innererror: { code: "ResponsibleAIPolicyViolation" },
        },
      },
      "content_filter",
    ],
    [400, error("content_policy_violation"), "content_filter"],
    [
      403,
      { error: { code: 403, message: "This request requires moderation on the provider's side", metadata: {} } },
      "content_filter",
    ],
    // The model.
    [404, error("model_not_found"), "model_missing"],
    [403, error("model_not_found", "Project does not have access to model"), "model_missing"],
    [
      404,
      { error: { code: "DeploymentNotFound", message: "The API deployment for this resource does not exist." } },
      "model_missing",
    ],
    [
      404,
      { object: "error", message: "The model `x` does not exist.", type: "NotFoundError", code: 404 },
      "model_missing",
    ],
    [
      404,
      { error: { message: "model 'x' not found, try pulling it first", type: "not_found_error" } },
      "model_missing",
    ],
    [404, { type: "error", error: { type: "not_found_error", message: "model: claude-x" } }, "model_missing"],
    // The request.
    [400, error("unsupported_value"), "invalid_request"],
    [400, "", "invalid_request"],
    [413, "", "invalid_request"],
    [422, { detail: [{ loc: ["body"], msg: "field required" }] }, "invalid_request"],
    [404, { error: { code: 404, message: "File Not Found", type: "not_found_error" } }, "invalid_request"],
    [404, error("file_not_found", "No such File object"), "invalid_request"],
    [400, error(null, "Invalid schema for response_format"), "invalid_request"],
    // Not the API at all.
    [404, "404 page not found", "garbled"],
    [404, { detail: "Not Found" }, "garbled"],
    [405, { detail: "Method Not Allowed" }, "garbled"],
    [405, "<html>Not Allowed</html>", "garbled"],
    [301, "", "garbled"],
    [204, "", "garbled"],
  ] as const)("takes %d with %j for %s", (status, body, expected) => {
    expect(classify(status, body)).toMatchObject({ class: expected, status });
  });

  it.each([
    [404, "404 page not found", true],
    [404, "", true],
    [405, { detail: "Method Not Allowed" }, true],
    [404, { detail: "Not Found" }, true],
    [404, { error: { code: 404, message: "File Not Found", type: "not_found_error" } }, true],
    [404, { object: "error", message: "The model `x` does not exist.", type: "NotFoundError", code: 404 }, undefined],
    [404, { type: "error", error: { type: "not_found_error", message: "model: claude-x" } }, undefined],
    [404, { detail: "No such response." }, undefined],
    [400, { detail: "Not Found" }, undefined],
    [502, "", undefined],
  ] as const)("tells from %d with %j whether a path is missing: %s", (status, body, missing) => {
    expect(classify(status, body).missingPath).toBe(missing);
  });

  it.each([
    [401, error("invalid_api_key", "Incorrect API key provided"), "rejected"],
    [401, "", "rejected"],
    [403, "", "forbidden"],
    [403, { type: "error", error: { type: "permission_error", message: "x" } }, "forbidden"],
    [400, { code: "Client specified an invalid argument", error: "Incorrect API key provided: ab***yz." }, "rejected"],
    [
      400,
      [
        {
          error: { code: 400, message: "API key not valid. Please pass a valid API key.", status: "INVALID_ARGUMENT" },
        },
      ],
      "rejected",
    ],
    [401, error("account_deactivated"), "rejected"],
  ] as const)("takes %d with %j for a key that is %s", (status, body, auth) => {
    expect(classify(status, body)).toMatchObject({ class: "auth", auth });
  });

  it("sets `auth` for no other class", () => {
    expect(classify(429, "")).not.toHaveProperty("auth");
  });

  it("is not misled by words of a prompt that an error quotes", () => {
    expect(classify(400, error("invalid_type", "Invalid type for messages[0]: 'maximum context'"))).toMatchObject({
      class: "invalid_request",
    });
    expect(classify(429, error("rate_limit_exceeded", "maximum context length"))).toMatchObject({
      class: "rate_limited",
    });
  });

  it("asks the provider's own markers first", () => {
    const preset = {
      markers: [{ status: 424, message: "not ready", class: "overloaded", because: "a test" }],
    } as const;
    expect(classify(424, { message: "Model is not ready for inference" }, { preset })).toMatchObject({
      class: "overloaded",
    });
    expect(classify(424, { message: "other" }, { preset })).toMatchObject({ class: "invalid_request" });
    expect(classify(400, error("invalid_prompt"), { preset: openai })).toMatchObject({ class: "content_filter" });
    expect(classify(400, error("invalid_prompt"))).toMatchObject({ class: "invalid_request" });
    expect(classify(403, error("unsupported_country_region_territory"), { preset: openai })).toMatchObject({
      auth: "forbidden",
    });
  });

  it("keeps the answer as it came, so that it can be surfaced unchanged", () => {
    const { response } = classify(400, error("bad"), { headers: { "content-type": "application/json" } });
    expect(response).toEqual({
      status: 400,
      contentType: "application/json",
      body: Buffer.from(JSON.stringify(error("bad"))),
    });
  });

  it("keeps no answer about a key or its account, which the client must never see", () => {
    expect(classify(401, error("invalid_api_key"))).not.toHaveProperty("response");
    expect(classify(429, error("insufficient_quota"))).not.toHaveProperty("response");
  });

  it("gives the code as text, the numeric ones too", () => {
    expect(classify(429, error("slow_down")).code).toBe("slow_down");
    expect(classify(500, { error: { code: 500, message: "x" } }).code).toBe("500");
    expect(classify(500, "").code).toBeNull();
  });

  it("reads how long to wait", () => {
    expect(classify(429, "", { headers: { "retry-after": "2" } }).retryAfterMs).toBe(2000);
    expect(classify(429, "").retryAfterMs).toBeNull();
  });

  it("gives a reason in words, without the key that OpenAI quotes", () => {
    expect(
      classify(401, error("invalid_api_key", "Incorrect API key provided: sk-abc12***wxyz. Find it at …")).reason,
    ).toBe("status 401: Incorrect API key provided: [hidden] Find it at …");
    expect(classify(502, "<html>nginx</html>").reason).toBe("status 502 with a page of HTML");
    expect(classify(301, "").reason).toContain("redirects are not followed");
    expect(classify(500, "").reason).toBe("status 500 with an empty body");
    expect(classify(500, "upstream connect error\nreset ").reason).toBe("status 500: upstream connect error reset");
  });
});

describe("classifyErrorObject", () => {
  it.each([
    [{ error: { message: "x", type: "server_error", code: null } }, "server_error"],
    [{ type: "error", error: { type: "overloaded_error", message: "Overloaded" } }, "overloaded"],
    [{ object: "error", message: "x", type: "BadRequestError", code: 400 }, "invalid_request"],
    [{ error: { message: "x", code: 429 } }, "rate_limited"],
    [{ error: { message: "x", code: "invalid_api_key" } }, "auth"],
    [{ error: { message: "This model's maximum context length is 8 tokens" } }, "context_length"],
    [{ message: "upstream failed" }, "garbled"],
    [{ detail: "Internal" }, "garbled"],
    [{ error: {} }, "garbled"],
  ])("takes %j for %s", (value, expected) => {
    expect(classifyErrorObject(value, openai)).toMatchObject({ class: expected, status: 200, retryAfterMs: null });
  });

  it.each([
    [{ choices: [] }],
    [{ choices: [], message: "x" }],
    [{ error: null }],
    [{ data: [1] }],
    [{}],
    [null],
    ["error"],
    [[]],
  ])("finds no error in %j", (value) => {
    expect(classifyErrorObject(value, openai)).toBeNull();
  });

  it("gives what is to be surfaced a status of an error, never 200", () => {
    const value = { error: { message: "Bad field", type: "invalid_request_error" } };
    expect(classifyErrorObject(value, openai)).toMatchObject({
      class: "invalid_request",
      response: { status: 400, contentType: "application/json", body: Buffer.from(JSON.stringify(value)) },
    });
  });
});

describe("the tables", () => {
  it("give a reason in every row", () => {
    for (const row of [...codeSignals, ...messageSignals, ...typeSignals])
      expect(row.because.length).toBeGreaterThan(3);
  });

  it("compare messages in lower case", () => {
    for (const { message } of messageSignals) {
      const source = message instanceof RegExp ? message.source.replaceAll(/\\./g, "") : (message ?? "");
      expect(source).toBe(source.toLowerCase());
    }
  });
});
