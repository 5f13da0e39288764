import { answersChat, answersError, answersMessage, chatAnswer, type Script } from "@tuloy/testkit";
import { describe, expect, test } from "vitest";

import { model } from "../../harness.ts";
import { anthropicAt, asked, hearMessage, hearStreamed } from "../../messages-scene.ts";
import { breakerOf, hearStream, post, setScene } from "../../scene.ts";

const vllm = { kind: "vllm" } as const;
const fastApis = { detail: "Not Found" };

/** A server of a time before it spoke Anthropic's dialect: it has paths for OpenAI's alone. */
function older(chat: Script, missing: Script = (reply) => reply.json(404, fastApis)): Script {
  return (reply, request) => (request.path.endsWith("/chat/completions") ? chat : missing)(reply, request);
}

const plainPage: Script = (reply) =>
  reply.status(404).headers({ "content-type": "text/plain" }).chunk("404 page not found").end();

const text = (message: Awaited<ReturnType<typeof hearMessage>>): string =>
  message.content.map((block) => (block.type === "text" ? block.text : "")).join("");

const pathsOf = ({ requests }: { readonly requests: readonly { readonly path: string }[] }): string[] =>
  requests.map(({ path }) => path.replace("/v1", ""));

describe("a server without a path for Anthropic's dialect", () => {
  test.each([
    ["FastAPI's JSON", (reply) => reply.json(404, fastApis)],
    ["a plain page", plainPage],
    [
      "llama.cpp's error",
      (reply) => reply.json(404, { error: { code: 404, message: "File Not Found", type: "not_found_error" } }),
    ],
  ] satisfies [string, Script][])("that says so by %s is asked in OpenAI's, and remembered", async (_, missing) => {
    const { a, gateway } = await setScene(
      { a: older(answersChat("Hi."), missing) },
      { providers: { a: vllm }, failover: "breaker: { failures: 1 }" },
    );
    const client = anthropicAt(gateway.url);
    expect(text(await hearStreamed(client))).toBe("Hi.");
    const first = await gateway.lastTrace(1);
    expect(text(await hearMessage(client))).toBe("Hi.");
    expect(pathsOf(a)).toEqual(["/messages", "/chat/completions", "/chat/completions"]);

    const note =
      `a/${model}: asked in openai-chat, since it was found to have no path for anthropic-messages; ` +
      "write dialect: openai-chat at this model to have it so for good";
    expect(first.attempts).toMatchObject([
      {
        kind: "first",
        status: 404,
        reason: expect.stringContaining(
          "; asked in openai-chat instead; write dialect: openai-chat at this model to have it so at once",
        ),
      },
      { kind: "first", failure: null },
    ]);
    expect([first.outcome, first.notes]).toEqual(["succeeded", [note]]);
    const second = await gateway.lastTrace(2);
    expect([second.attempts.length, second.notes]).toEqual([1, [note]]);
    expect(breakerOf(gateway, "a").isClosed).toBe(true);
  });

  test("nor for the Responses API is asked in OpenAI's chat dialect for it too, as a stream and whole", async () => {
    const { a, gateway } = await setScene({ a: older(answersChat("Hi.")) }, { providers: { a: vllm } });
    const client = gateway.client();
    const stream = client.responses.stream({ model, input: "Say something." });
    expect((await stream.finalResponse()).output_text).toBe("Hi.");
    expect((await client.responses.create({ model, input: "Say something." })).output_text).toBe("Hi.");
    expect(pathsOf(a)).toEqual(["/responses", "/chat/completions", "/chat/completions"]);
    // Each dialect is found out for itself.
    expect(text(await hearMessage(anthropicAt(gateway.url)))).toBe("Hi.");
    expect(pathsOf(a).slice(3)).toEqual(["/messages", "/chat/completions"]);
  });

  test("takes no attempt away from its twins, and no breaker's patience", async () => {
    const { a, b, gateway } = await setScene(
      { a: older(answersError(503, null, "Busy.")), b: older(answersChat("From b.")) },
      { providers: { a: vllm, b: vllm }, failover: "attempts: 2" },
    );
    expect(text(await hearMessage(anthropicAt(gateway.url)))).toBe("From b.");
    expect([pathsOf(a), pathsOf(b)]).toEqual([
      ["/messages", "/chat/completions"],
      ["/messages", "/chat/completions"],
    ]);
  });

  test("is asked in OpenAI's by both calls of a race", async () => {
    const late: Script = (reply) => reply.wait(400).json(200, chatAnswer("From a."));
    const { gateway } = await setScene(
      { a: older(late), b: older(answersChat("From b.")) },
      { providers: { a: vllm, b: vllm }, failover: "hedge: 50ms" },
    );
    expect(text(await hearMessage(anthropicAt(gateway.url)))).toBe("From b.");
    const { attempts } = await gateway.lastTrace();
    expect(attempts.map(({ provider, failure }) => [provider, failure])).toEqual([
      ["a", "garbled"],
      ["a", "cancelled"],
      ["b", "garbled"],
      ["b", null],
    ]);
  });

  test("counts no tokens either: they are counted here, once that is known", async () => {
    const { a, gateway } = await setScene({ a: older(answersChat("Hi.")) }, { providers: { a: vllm } });
    const client = anthropicAt(gateway.url);
    await hearMessage(client);
    const { messages } = asked;
    expect(await client.messages.countTokens({ model, messages })).toMatchObject({
      input_tokens: expect.any(Number) as number,
    });
    expect(pathsOf(a)).toEqual(["/messages", "/chat/completions"]);
  });

  test("that is gone altogether is asked twice only once a minute, and is at fault", async () => {
    const { a, gateway } = await setScene(
      { a: plainPage, b: answersMessage("From b.") },
      { providers: { a: vllm, b: { kind: "anthropic-compatible" } }, failover: "breaker: { failures: 3 }" },
    );
    const client = anthropicAt(gateway.url);
    for (let count = 0; count < 3; count++) expect(text(await hearMessage(client))).toBe("From b.");
    expect(pathsOf(a)).toEqual(["/messages", "/chat/completions", "/messages", "/messages"]);
    expect(breakerOf(gateway, "a").isClosed).toBe(false);
    const { attempts } = await gateway.lastTrace(3);
    expect(attempts[0]).toMatchObject({
      failure: "garbled",
      reason: expect.stringContaining(
        "where this server does not speak anthropic-messages, write dialect: openai-chat at its model",
      ),
    });
  });

  test("is not asked what the other dialect has no words for", async () => {
    const { a, gateway } = await setScene({ a: older(answersChat("Hi.")) }, { providers: { a: vllm } });
    const source = { type: "file", file_id: "file_1" };
    const content = [{ type: "image", source }] as never;
    await expect(hearMessage(anthropicAt(gateway.url), { messages: [{ role: "user", content }] })).rejects.toThrow(
      "404",
    );
    expect(pathsOf(a)).toEqual(["/messages"]);
  });

  test("is still asked as planned what was planned before that was known, if it can't be said otherwise", async () => {
    const script: Script = (reply, request) => {
      const said = JSON.stringify(request.json());
      if (request.path.endsWith("/chat/completions")) return answersChat("Hi.")(reply, request);
      return said.includes("file_1")
        ? reply.wait(300).json(429, { error: "Later." }, { "retry-after-ms": "200" })
        : plainPage(reply, request);
    };
    const { a, gateway } = await setScene({ a: script }, { providers: { a: vllm } });
    const client = anthropicAt(gateway.url);
    const content = [{ type: "image", source: { type: "file", file_id: "file_1" } }] as never;
    const bound = hearMessage(client, { messages: [{ role: "user", content }] });
    await a.received(0);
    expect(text(await hearMessage(client))).toBe("Hi.");
    await expect(bound).rejects.toMatchObject({ status: 429 });
    expect(new Set(pathsOf(a).slice(3))).toEqual(new Set(["/messages"]));
    const { attempts } = await gateway.lastTrace(2);
    expect(attempts.map(({ failure }) => failure)).not.toContain("internal");
  });

  test("and a client of OpenAI's dialect is not asked for in another", async () => {
    const gone: Script = (reply) => reply.json(404, fastApis);
    const { a, gateway } = await setScene({ a: gone, b: answersChat("From b.") }, { providers: { a: vllm } });
    expect((await hearStream(gateway.client())).text).toBe("From b.");
    expect((await post(gateway)).status).toBe(200);
    expect(pathsOf(a)).toEqual(["/chat/completions", "/chat/completions"]);
  });
});
