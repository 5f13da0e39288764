import { answersChat, answersError, chatChunk, geminiTextEvents, geminiUsage, sse } from "@tuloy/testkit";
import type { Script } from "@tuloy/testkit";
import { LLMock } from "@copilotkit/aimock";
import OpenAI from "openai";
import { describe, expect, onTestFinished, test } from "vitest";

import { breaksOff, continues, goesOn, had, pieces, whole } from "../../breaking-stream.ts";
import { aiStudio, answersGemini, askedGemini, keyFile, vertexAt } from "../../gemini-scene.ts";
import { model, startTuloy } from "../../harness.ts";
import { hearStream, post, question, setScene } from "../../scene.ts";

type Message = OpenAI.ChatCompletionMessageParam;

/** Of the third generation, where calls have ids and have to be signed. */
const asThird = { model: null, models: [`${model}: { id: gemini-3-flash, price: { input: 1, output: 2 } }`] };
const third = { ...aiStudio, ...asThird };
const tools: OpenAI.ChatCompletionTool[] = [{ type: "function", function: { name: "weather" } }];
const ask: Message = { role: "user", content: "How is the weather in Cebu?" };
const signed = { functionCall: { id: "fc-1", name: "weather", args: { city: "Cebu" } }, thoughtSignature: "c2ln" };
const standIn = "skip_thought_signature_validator";

/** One turn, as an application makes it: the answer goes into the history as the SDK gave it. */
async function turn(
  client: OpenAI,
  messages: readonly Message[],
  stream: boolean,
): Promise<OpenAI.ChatCompletionMessage> {
  const body = { ...question, messages: [...messages], tools };
  if (!stream) {
    const [choice] = (await client.chat.completions.create(body)).choices;
    if (choice === undefined) throw new Error("no choice");
    return choice.message;
  }
  return client.chat.completions.stream(body).finalMessage();
}

function resultFor(message: OpenAI.ChatCompletionMessage, content: string): Message {
  return { role: "tool", tool_call_id: message.tool_calls?.[0]?.id ?? "", content };
}

describe("a conversation with tools goes on at another provider", () => {
  test("from OpenAI's dialect to Gemini, whose calls have to be signed", async () => {
    const call = { id: "call_1", type: "function", function: { name: "weather", arguments: '{"city":"Cebu"}' } };
    const calls: Script = (reply) =>
      reply.json(200, {
        ...chatChunk({ delta: {} }),
        object: "chat.completion",
        choices: [
          { index: 0, message: { role: "assistant", content: null, tool_calls: [call] }, finish_reason: "tool_calls" },
        ],
      });
    const { a, b, gateway } = await setScene(
      { a: [calls, answersError(503, null, "busy")], b: answersGemini([[{ text: "It rains." }]]) },
      { providers: { b: third } },
    );
    const client = gateway.client();
    const first = await turn(client, [ask], false);
    const last = await turn(client, [ask, first, resultFor(first, "rain")], false);
    expect(last.content).toBe("It rains.");
    expect(a.requests).toHaveLength(2);
    expect(askedGemini(b.requests[0]).contents).toEqual([
      { role: "user", parts: [{ text: ask.content }] },
      {
        role: "model",
        parts: [{ functionCall: { id: "call_1", name: "weather", args: { city: "Cebu" } }, thoughtSignature: standIn }],
      },
      { role: "user", parts: [{ functionResponse: { id: "call_1", name: "weather", response: { output: "rain" } } }] },
    ]);
  });

  test.each([
    ["whole answers", false],
    ["streams", true],
  ])("from Gemini to OpenAI's dialect and back, in %s", async (_, stream) => {
    const { a, b, gateway } = await setScene(
      {
        a: [answersGemini([[signed]]), (reply) => reply.json(503, {}), answersGemini([[{ text: "Dry." }]])],
        b: answersChat("It rains."),
      },
      { providers: { a: third } },
    );
    const client = gateway.client();
    const first = await turn(client, [ask], stream);
    const history: Message[] = [ask, first, resultFor(first, "rain")];
    const second = await turn(client, history, stream);
    expect(second.content).toBe("It rains.");
    const asked = b.requests[0]?.json() as { readonly messages: readonly Message[] };
    expect(asked.messages).toMatchObject([
      ask,
      { role: "assistant", tool_calls: [{ id: "fc-1", function: { name: "weather", arguments: '{"city":"Cebu"}' } }] },
      { role: "tool", tool_call_id: "fc-1", content: "rain" },
    ]);

    await turn(client, [...history, second, { role: "user", content: "And now?" }], stream);
    expect(askedGemini(a.requests[2]).contents).toEqual([
      { role: "user", parts: [{ text: ask.content }] },
      { role: "model", parts: [signed] },
      { role: "user", parts: [{ functionResponse: { id: "fc-1", name: "weather", response: { output: "rain" } } }] },
      { role: "model", parts: [{ text: "It rains." }] },
      { role: "user", parts: [{ text: "And now?" }] },
    ]);
  });

  test("from AI Studio to Vertex AI, which takes no signature of AI Studio's", async () => {
    const tokens: Script = (reply) => reply.json(200, { access_token: "ya29.token", expires_in: 3600 });
    const { t, b, gateway } = await setSceneWithTokens(
      { a: [answersGemini([[signed]]), (reply) => reply.json(503, {})], b: answersGemini([[{ text: "It rains." }]]) },
      tokens,
    );
    const client = gateway.client();
    const first = await turn(client, [ask], false);
    await turn(client, [ask, first, resultFor(first, "rain")], false);
    expect(t.requests).toHaveLength(1);
    expect(b.requests[0]).toMatchObject({
      path: "/v1/projects/my-project/locations/europe-west4/publishers/google/models/gemini-3-flash:generateContent",
    });
    expect(b.requests[0]?.headers).toMatchObject({ authorization: "Bearer ya29.token" });
    expect(askedGemini(b.requests[0]).contents[1]?.parts).toEqual([{ ...signed, thoughtSignature: standIn }]);
  });
});

/** AI Studio before Vertex AI, whose tokens come from `t`. */
async function setSceneWithTokens(
  parts: { readonly a: Script | readonly Script[]; readonly b: Script },
  tokens: Script,
) {
  const { t } = await setScene({ t: tokens });
  const vertex = { ...vertexAt(`${t.url}/token`), ...asThird };
  const scene = await setScene(parts, { providers: { a: third, b: vertex } });
  return { ...scene, t };
}

describe("Vertex AI", () => {
  const answers = answersGemini([[{ text: "Hi." }]]);
  const busy: Script = (reply) => reply.json(503, {});

  test("is asked with a token that is fetched once for all calls, and computes where its location is", async () => {
    const asked = Promise.withResolvers<void>();
    const { t, a, b, gateway } = await setSceneWithTokens({ a: busy, b: answers }, async (reply) => {
      await asked.promise;
      return reply.json(200, { access_token: "ya29.token", expires_in: 3600 });
    });
    const hearing = Promise.all([1, 2, 3].map(() => hearStream(gateway.client())));
    await a.received(2);
    await t.received(0);
    asked.resolve();
    const heard = await hearing;
    expect(heard.map(({ text }) => text)).toEqual(["Hi.", "Hi.", "Hi."]);
    expect(t.requests).toHaveLength(1);
    expect(b.requests).toHaveLength(3);
    expect((await gateway.lastTrace()).candidates).toContain(`b/${model}@eu-west4`);
  });

  test("that gives no token is left for the next, and its secrets are told nobody", async () => {
    const { t } = await setScene({
      t: (reply) => reply.json(400, { error: "invalid_grant", error_description: "revoked" }),
    });
    const { privateKey, yaml } = keyFile(`${t.url}/token`);
    const vertex = { ...vertexAt(""), keys: [yaml], ...asThird };
    const { a, gateway } = await setScene({ a: answers, b: answersChat("Here.") }, { providers: { a: vertex } });
    expect((await hearStream(gateway.client())).text).toBe("Here.");
    expect((await hearStream(gateway.client())).text).toBe("Here.");
    expect(a.requests).toHaveLength(0);
    // Its key is in quarantine: nobody asks for a token any more.
    expect(t.requests).toHaveLength(1);
    await gateway.lastTrace(2);
    const traces = await gateway.traces();
    const [first] = traces.flatMap(({ attempts }) => attempts.filter(({ failure }) => failure !== null));
    expect(first).toMatchObject({ failure: "auth", status: null });
    expect(first?.reason).toContain("Google refused a token with status 400 (invalid_grant, revoked)");
    expect(JSON.stringify([traces, await gateway.alerts()])).not.toContain(JSON.stringify(privateKey).slice(40, 100));
  });
});

describe("a stream that breaks in the middle", () => {
  test("is completed by Gemini, which says the same again", async () => {
    const { b, gateway } = await setScene(
      {
        a: breaksOff,
        b: answersGemini(
          pieces.map((text) => [{ text }]),
          { usage: geminiUsage(5, 12) },
        ),
      },
      { providers: { b: aiStudio } },
    );
    const heard = await hearStream(gateway.client());
    expect(heard).toMatchObject({ text: whole, error: null });
    expect(new Set(heard.chunks.map(({ id }) => id)).size).toBe(1);
    expect(heard.chunks.flatMap(({ choices }) => choices.filter(({ delta }) => delta.role))).toHaveLength(1);
    expect(b.requests).toHaveLength(1);
    expect((await gateway.lastTrace()).attempts.map(({ kind }) => kind)).toEqual(["first", "replay"]);
  });

  test("is completed softly by Gemini where the route allows it", async () => {
    const rest = whole.slice(had.length);
    const says: Script = (reply, request) => {
      const { contents } = askedGemini(request);
      // Asked for the whole answer it says something else, so that only the soft way is left.
      const text = contents.length > 1 ? rest : "Another answer.";
      return geminiTextEvents([text])
        .reduce((said, event) => said.chunk(event), reply.eventStream())
        .end();
    };
    const { b, gateway } = await setScene(
      { a: breaksOff, b: says },
      { providers: { b: aiStudio }, failover: "on_partial: continue-soft" },
    );
    const heard = await hearStream(gateway.client(), { max_tokens: 100 });
    expect(heard).toMatchObject({ text: whole, error: null });
    const asked = askedGemini(b.requests.at(-1));
    expect(asked.contents.map(({ role }) => role)).toEqual(["user", "model", "user"]);
    expect(asked.contents[1]?.parts).toEqual([{ text: had }]);
    expect(asked["generationConfig"]).toEqual({ maxOutputTokens: 97 });
  });

  test.each([
    [
      "a cut connection",
      (reply) =>
        geminiTextEvents(pieces.slice(0, 3), { finishReason: null })
          .reduce((said, event) => said.chunk(event), reply.eventStream())
          .reset(),
    ],
    [
      "an end without a reason",
      (reply) =>
        geminiTextEvents(pieces.slice(0, 3), { finishReason: null })
          .reduce((said, event) => said.chunk(event), reply.eventStream())
          .end(),
    ],
    [
      "an error event",
      (reply) =>
        geminiTextEvents(pieces.slice(0, 3), { finishReason: null })
          .reduce((said, event) => said.chunk(event), reply.eventStream())
          .chunk(sse({ error: { code: 503, status: "UNAVAILABLE", message: "busy" } }))
          .end(),
    ],
  ] as readonly (readonly [string, Script])[])("at Gemini, by %s, is gone on with elsewhere", async (_, breaks) => {
    const { b, gateway } = await setScene(
      { a: breaks, b: goesOn },
      { providers: { a: aiStudio, b: continues("vllm") } },
    );
    const heard = await hearStream(gateway.client());
    expect(heard).toMatchObject({ text: whole, error: null });
    expect(b.requests).toHaveLength(1);
    expect((await gateway.lastTrace()).attempts.map(({ kind }) => kind)).toEqual(["first", "continuation"]);
  });

  test("at Gemini with nobody left is an error, and no end", async () => {
    const breaks: Script = (reply) =>
      geminiTextEvents(pieces.slice(0, 3), { finishReason: null })
        .reduce((said, event) => said.chunk(event), reply.eventStream())
        .end();
    const { gateway } = await setScene({ a: breaks }, { providers: { a: aiStudio }, failover: "on_partial: error" });
    const heard = await hearStream(gateway.client());
    expect(heard.error).toBeInstanceOf(OpenAI.APIError);
    const { body } = await post(gateway, { stream: true });
    expect(body.toString()).not.toContain("[DONE]");
  });
});

/** A Gemini that somebody else wrote: what it sends was not made to fit. */
describe("an independent mock of Gemini", () => {
  async function setMockScene() {
    const mock = await LLMock.create({ port: 0, chunkSize: 4 });
    const gateway = await startTuloy({ providers: { a: { url: mock.url, ...aiStudio } } });
    onTestFinished(async () => {
      await gateway.close();
      await mock.stop();
    });
    return { mock, client: gateway.client(), gateway };
  }

  test("is understood in its streams and its whole answers, with its usage", async () => {
    const { mock, client, gateway } = await setMockScene();
    mock.onMessage("something", {
      content: whole,
      usage: { promptTokenCount: 12, candidatesTokenCount: 9, totalTokenCount: 21 },
    });
    const heard = await hearStream(client);
    expect(heard).toMatchObject({ text: whole, error: null });
    const answer = await client.chat.completions.create(question);
    expect(answer.choices[0]).toMatchObject({ finish_reason: "stop", message: { content: whole } });
    expect((await gateway.lastTrace(2)).usage).toMatchObject({
      input_tokens: 12,
      output_tokens: 9,
      source: "provider",
    });
  });

  test("is understood in its calls, and understands their results", async () => {
    const { mock, client } = await setMockScene();
    mock.onMessage("Cebu", { toolCalls: [{ name: "weather", arguments: '{"city":"Cebu"}' }] });
    const first = await turn(client, [ask], true);
    expect(first.tool_calls).toMatchObject([{ function: { name: "weather", arguments: '{"city":"Cebu"}' } }]);
    await turn(client, [ask, first, resultFor(first, "rain")], true);
    const body = JSON.stringify(mock.getRequests().at(-1)?.body);
    expect(body).toContain("rain");
  });
});
