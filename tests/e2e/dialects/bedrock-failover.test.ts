import {
  answersAwsError,
  answersChat,
  answersConverse,
  converseEvents,
  converseException,
  converseStream,
  type ReceivedRequest,
  type Reply,
  type Script,
} from "@tuloy/testkit";
import OpenAI from "openai";
import { describe, expect, test } from "vitest";

import { bedrockServing, signed, signing, sonnet45 } from "../../bedrock-scene.ts";
import { goesOn, had, pieces, breaksOff, whole } from "../../breaking-stream.ts";
import { model, type TestProvider } from "../../harness.ts";
import { hearStream, question, setScene } from "../../scene.ts";

const aws = bedrockServing();

async function ask(client: OpenAI): Promise<{ text: string | null; headers: Headers }> {
  const { data, response } = await client.chat.completions.create(question).withResponse();
  return { text: data.choices[0]?.message.content ?? null, headers: response.headers };
}

/** The start and the first three pieces of the text, and then whatever ends it. */
function begins(reply: Reply): Reply {
  converseStream(reply);
  return converseEvents([{ text: whole }])
    .slice(0, 4)
    .reduce((said, event) => said.chunk(event), reply);
}

describe("an error of Bedrock", () => {
  test.each([
    [429, "ThrottlingException", "Too many requests", "rate_limited"],
    [429, "ModelNotReadyException", "not ready", "overloaded"],
    [424, "ModelErrorException", "failed", "overloaded"],
    [503, "ServiceUnavailableException", "busy", "overloaded"],
    [404, "ResourceNotFoundException", "no such model", "model_missing"],
    [403, "AccessDeniedException", "You don't have access to the model", "auth"],
  ])("%i %s moves the request to a twin", async (status, name, message, failure) => {
    const { gateway } = await setScene(
      { aws: signed(answersAwsError(status, name, message)), b: answersChat("Here.") },
      { providers: { aws } },
    );
    const { text, headers } = await ask(gateway.client());
    expect(text).toBe("Here.");
    expect(headers.get("x-tuloy-failover")).toBe(failure);
  });

  test("that is the request's is the client's to see, as an error of OpenAI's dialect, and no twin is asked", async () => {
    const message = "The text field in the ContentBlock object at messages.0.content.0 is blank.";
    const { b, gateway } = await setScene(
      { aws: answersAwsError(400, "ValidationException", message), b: answersChat("Here.") },
      { providers: { aws } },
    );
    const thrown: unknown = await ask(gateway.client()).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(OpenAI.BadRequestError);
    expect(thrown).toMatchObject({ type: "invalid_request_error", message: expect.stringContaining("is blank") });
    expect(b.requests).toHaveLength(0);
  });
});

describe("a key of AWS", () => {
  test("whose secret is wrong is quarantined, and nothing of it is told", async () => {
    const wrong = "wrongwrongwrongwrongwrongwrongwrongwrong";
    const script: Script = (reply, request) =>
      answersAwsError(
        403,
        "InvalidSignatureException",
        `The request signature does not match; ${wrong} is no secret`,
      )(reply, request);
    const { gateway } = await setScene(
      { aws: script, b: answersChat("Here.") },
      { providers: { aws: bedrockServing(sonnet45, [`${signing.accessKeyId}:${wrong}`]) } },
    );
    expect((await ask(gateway.client())).text).toBe("Here.");
    const trace = await gateway.lastTrace();
    expect(trace.attempts[0]).toMatchObject({ failure: "auth", status: 403 });
    expect(JSON.stringify(trace)).not.toContain(wrong);
    expect(await gateway.alerts()).toMatchObject([{ kind: "provider_key_quarantined" }]);
  });

  test("with a session token signs and sends that too", async () => {
    const token = "IQoJb3JpZ2luX2VjEXAMPLE==";
    const seen: ReceivedRequest[] = [];
    const { gateway } = await setScene(
      {
        aws: (reply, request) => {
          seen.push(request);
          return answersConverse("Yes.")(reply, request);
        },
      },
      { providers: { aws: bedrockServing(sonnet45, [`${signing.accessKeyId}:${signing.secretAccessKey}:${token}`]) } },
    );
    expect((await ask(gateway.client())).text).toBe("Yes.");
    expect(seen[0]?.headers["x-amz-security-token"]).toBe(token);
  });

  test("that is one of Bedrock's own is shown as a bearer's", async () => {
    const { aws: upstream, gateway } = await setScene(
      { aws: answersConverse("Yes.") },
      { providers: { aws: bedrockServing(sonnet45, ["ABSKQmVkcm9ja0FQSUtleQ=="]) } },
    );
    expect((await ask(gateway.client())).text).toBe("Yes.");
    expect(upstream.requests[0]?.headers.authorization).toBe("Bearer ABSKQmVkcm9ja0FQSUtleQ==");
  });
});

describe("what only the content shows", () => {
  const picture = {
    messages: [
      {
        role: "user" as const,
        content: [{ type: "image_url" as const, image_url: { url: "https://pictures.example/cat.png" } }],
      },
    ],
  };

  test("keeps a picture that would have to be fetched from Bedrock, and a twin is asked", async () => {
    const { aws: upstream, gateway } = await setScene(
      { aws: answersConverse("never"), b: answersChat("A cat.") },
      { providers: { aws } },
    );
    const answer = await gateway.client().chat.completions.create({ ...question, ...picture });
    expect(answer.choices[0]?.message.content).toBe("A cat.");
    expect(upstream.requests).toHaveLength(0);
    const trace = await gateway.lastTrace();
    expect(trace.exclusions).toMatchObject([
      { deployment: `aws/${model}@eu-west-1`, reason: "capability", detail: expect.stringContaining("by URL") },
    ]);
  });

  test("is told to the client where nobody else is there", async () => {
    const { gateway } = await setScene({ aws: answersConverse("never") }, { providers: { aws } });
    const asked = gateway.client().chat.completions.create({ ...question, ...picture });
    await expect(asked).rejects.toMatchObject({ status: 400, code: "no_deployment_allowed" });
  });
});

describe("a stream of Bedrock that fails", () => {
  const before = (exception: string): Script =>
    signed((reply) => {
      converseStream(reply).chunk(converseEvents([{ text: "a" }])[0] ?? "");
      return reply.chunk(converseException(exception, "Try again.")).end();
    });

  test.each([
    ["throttlingException", "rate_limited"],
    ["modelStreamErrorException", "overloaded"],
    ["internalServerException", "server_error"],
  ])("before its first content, with %s, is replaced unseen", async (exception, failure) => {
    const { gateway } = await setScene({ aws: before(exception), b: answersChat("Here.") }, { providers: { aws } });
    const heard = await hearStream(gateway.client());
    expect(heard).toMatchObject({ text: "Here.", error: null });
    expect((await gateway.lastTrace()).attempts).toMatchObject([{ failure }, { failure: null }]);
  });

  const ends: Readonly<Record<string, (reply: Reply) => Reply>> = {
    "with an exception": (reply) => reply.chunk(converseException("modelStreamErrorException", "Gone.")).end(),
    "with a broken connection": (reply) => reply.reset(),
    "without its end": (reply) => reply.end(),
    "with a message whose checksum is wrong": (reply) => {
      const [, , spoilt = Buffer.alloc(0)] = converseEvents([{ text: "spoilt" }]).map((event) => Buffer.from(event));
      spoilt[spoilt.length - 1] = (spoilt.at(-1) ?? 0) ^ 1;
      return reply.chunk(spoilt).end();
    },
    "with text in place of messages": (reply) => reply.chunk("<html>Bad Gateway</html>").end(),
  };

  test.each(Object.keys(ends))("in the middle, %s, is completed by another provider", async (end) => {
    const { b, gateway } = await setScene(
      { aws: (reply) => ends[end]?.(begins(reply)), b: goesOn },
      { providers: { aws, b: { facts: "continuation: assistant-prefix" } } },
    );
    const heard = await hearStream(gateway.client());
    expect(heard).toMatchObject({ text: whole, error: null });
    expect(b.requests[0]?.json()).toMatchObject({
      messages: [...question.messages, { role: "assistant", content: had }],
    });
  });

  test("in the middle, with nobody to complete it, is told as an error and never as whole", async () => {
    const { gateway } = await setScene({ aws: (reply) => begins(reply).reset() }, { providers: { aws } });
    const heard = await hearStream(gateway.client());
    expect(heard.text).toBe(had);
    expect(heard.error).toBeInstanceOf(OpenAI.APIError);
  });
});

describe("a stream that broke elsewhere", () => {
  const serving = (claude: string, id: string): Omit<TestProvider, "url"> => ({
    ...bedrockServing(id),
    models: [`${claude}: { id: "${id}", price: { input: 1, output: 2 } }`],
  });
  const openai = (claude: string): Omit<TestProvider, "url"> => ({
    model: null,
    models: [`${claude}: { id: x, price: { input: 1, output: 2 } }`],
  });
  const rest = pieces.slice(3).join("");

  test("is gone on with exactly by Claude 4.5 on Bedrock", async () => {
    const claude = "claude-sonnet-4-5";
    const { aws: upstream, gateway } = await setScene(
      { a: breaksOff, aws: signed(answersConverse(rest, { usage: [20, 9] })) },
      { providers: { a: openai(claude), aws: serving(claude, sonnet45) } },
    );
    const heard = await hearStream(gateway.client(), { model: claude, max_tokens: 100 });
    expect(heard).toMatchObject({ text: whole, error: null });
    expect(upstream.requests.map((request) => request.json())).toEqual([
      {
        messages: [
          { role: "user", content: [{ text: "Say something." }] },
          { role: "assistant", content: [{ text: had.trimEnd() }] },
        ],
        inferenceConfig: { maxTokens: 97 },
      },
    ]);
    expect((await gateway.lastTrace()).attempts).toMatchObject([{ kind: "first" }, { kind: "continuation" }]);
  });

  test("is said again by Claude 4.6, which does not go on, and what was sent is not sent twice", async () => {
    const claude = "claude-opus-4-6";
    const { aws: upstream, gateway } = await setScene(
      { a: breaksOff, aws: signed(answersConverse(whole)) },
      { providers: { a: openai(claude), aws: serving(claude, "anthropic.claude-opus-4-6-v1") } },
    );
    const heard = await hearStream(gateway.client(), { model: claude });
    expect(heard).toMatchObject({ text: whole, error: null });
    expect(upstream.requests).toHaveLength(1);
    expect((await gateway.lastTrace()).attempts).toMatchObject([{ kind: "first" }, { kind: "replay" }]);
  });
});
