import { describe, expect, it } from "vitest";

import { classifyResponse } from "../failure/classify.ts";
import { bedrock } from "./bedrock.ts";

function failure(status: number, name: string | null, body: unknown): ReturnType<typeof classifyResponse> {
  return classifyResponse({
    status,
    headers: (header) =>
      header === "x-amzn-errortype" && name !== null ? `${name}:http://internal.amazon.com/coral/x/` : undefined,
    body: Buffer.from(JSON.stringify(body)),
    preset: bedrock,
    wall: 0,
  });
}

describe("an error of Bedrock", () => {
  it.each([
    [429, "ThrottlingException", "Too many requests, please wait before trying again.", "rate_limited"],
    [429, "ThrottlingException", "Too many tokens, please wait before trying again.", "rate_limited"],
    [429, "ModelNotReadyException", "The model is not ready.", "overloaded"],
    [424, "ModelErrorException", "The model failed.", "overloaded"],
    [503, "ServiceUnavailableException", "Bedrock is unable to process your request.", "overloaded"],
    [408, "ModelTimeoutException", "Model has timed out.", "server_error"],
    [500, "InternalServerException", "The system encountered an unexpected error.", "server_error"],
    [400, "ServiceQuotaExceededException", "Your request exceeds the service quota.", "rate_limited"],
    [404, "ResourceNotFoundException", "Could not resolve the foundation model.", "model_missing"],
    [400, "ValidationException", "The provided model identifier is invalid.", "model_missing"],
    [
      400,
      "ValidationException",
      "Invocation of model ID x with on-demand throughput isn\u2019t supported. Retry with an inference profile.",
      "model_missing",
    ],
    [400, "ValidationException", "Input is too long for requested model.", "context_length"],
    [
      400,
      "ValidationException",
      "The model returned the following errors: prompt is too long: 200049 tokens > 200000 maximum",
      "context_length",
    ],
    [
      400,
      "ValidationException",
      "Too many input tokens. Max input tokens: 8192, request input token count: 9000",
      "context_length",
    ],
    [
      400,
      "ValidationException",
      "The text field in the ContentBlock object at messages.0.content.0 is blank.",
      "invalid_request",
    ],
  ])("%i %s: %s is %s", (status, name, message, failureClass) => {
    expect(failure(status, name, { message })).toMatchObject({ class: failureClass, code: name, status });
  });

  it.each([
    ["UnrecognizedClientException", { message: "The security token included in the request is invalid." }, "rejected"],
    ["ExpiredTokenException", { message: "The security token included in the request is expired" }, "rejected"],
    ["InvalidSignatureException", { message: "The request signature we calculated does not match." }, "rejected"],
    [
      "InvalidSignatureException",
      { message: "Signature expired: 20260101T000000Z is now earlier than …" },
      "forbidden",
    ],
    [
      "InvalidSignatureException",
      { message: "Signature not yet current: 20260101T000000Z is still later" },
      "forbidden",
    ],
    [
      "AccessDeniedException",
      { message: "You don't have access to the model with the specified model ID." },
      "forbidden",
    ],
    [
      "AccessDeniedException",
      { Message: "User: arn:aws:iam::1:user/x is not authorized to perform: bedrock:InvokeModel" },
      "forbidden",
    ],
    ["AccessDeniedException", { Message: "Invalid API Key format: Must start with pre-defined prefix" }, "rejected"],
    ["AccessDeniedException", { message: "Bearer Token has expired" }, "rejected"],
    [null, { Message: "Missing Authentication Token" }, "forbidden"],
  ])("403 %s %j is about the key: %s", (name, body, auth) => {
    const found = failure(403, name, body);
    expect(found).toMatchObject({ class: "auth", auth });
    expect(found.response).toBeUndefined();
  });
});
