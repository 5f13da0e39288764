import { LLMock } from "@copilotkit/aimock";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { apiKey, startTuloy, type TestGateway } from "../../harness.ts";
import { official, type Asked, type Client, type Heard, type Place } from "../../matrix/clients.ts";
import { raised } from "../../matrix/raised.ts";
import { spoken, type Spoken } from "../../matrix/said.ts";
import { name, providers } from "../../matrix/scenes.ts";
import { vercels } from "../../matrix/vercel.ts";

/** In the names of all providers: each handler of the mock takes those that it knows. */
const usage = {
  prompt_tokens: 20,
  completion_tokens: 9,
  input_tokens: 20,
  output_tokens: 9,
  promptTokenCount: 20,
  candidatesTokenCount: 9,
};
const calls = [
  { id: "call_1", name: "weather", arguments: '{"at":"Manila"}' },
  { id: "call_2", name: "time", arguments: '{"at":"Cebu, 宿霧"}' },
];

const broken = "An answer of some length, that is never heard to its end.";
const wrong = "invalid_request_error";

/** Where each is asked. */
const paths: Readonly<Record<Spoken, RegExp>> = {
  "openai-chat": /\/chat\/completions$/,
  "openai-responses": /\/responses$/,
  "anthropic-messages": /\/messages$/,
  gemini: /enerateContent/,
  "bedrock-converse": /\/converse(-stream)?$/,
};

const cases: Readonly<Record<string, Partial<Asked>>> = {
  "plain text and its usage": { turns: [{ user: "Say something." }], system: "Be kind." },
  "an image": { turns: [{ user: "Say something of it.", image: "iVBORw0KGgo=" }] },
  "an object by its schema": { turns: [{ user: "Which city?" }], schema: ["city", "sky"] },
  "a thought and an answer": { turns: [{ user: "Think." }], thinks: true },
  "parallel tools after a text": { turns: [{ user: "Weather?" }], tools: ["weather", "time"] },
};

describe.each(spoken)("from an independent mock that is spoken to in %s", (dialect) => {
  let mock: LLMock;
  let gateway: TestGateway;

  beforeAll(async () => {
    mock = await LLMock.create({ port: 0, chunkSize: 4, logLevel: "silent" });
    mock.onMessage("something", { content: "Magandang umaga, 日本 🎉. How are you?", usage });
    mock.onMessage("city", { content: '{"city":"Manila","sky":"clear"}', usage });
    mock.onMessage("Think", { reasoning: "They greet me.", content: "Magandang umaga.", usage });
    mock.on({ userMessage: "Weather", hasToolResult: false }, { content: "I look.", toolCalls: calls, usage });
    mock.on({ userMessage: "Weather", hasToolResult: true }, { content: "It rains, at noon.", usage });
    mock.onMessage("Break off", { content: broken, usage }, { truncateAfterChunks: 9, latency: 1 });
    mock.onMessage("Be wrong", { error: { message: "There is no such thing.", type: wrong }, status: 400 });
    const base = dialect === "bedrock-converse" ? { base: "" } : {};
    const failover = "on_partial: error, breaker: { failures: 1000, of: 1000 }";
    gateway = await startTuloy({ failover, providers: { a: { url: mock.url, ...providers[dialect], ...base } } });
  });
  afterAll(async () => {
    await gateway.close();
    await mock.stop();
  });

  describe.each(Object.entries<Client>({ ...official, ...vercels }))(
    "a client of %s hears the same as without a gateway",
    (_, client) => {
      test.each(Object.entries(cases))("%s", async (_what, asked) => {
        for (const stream of [false, true]) {
          const whole = { turns: [], ...asked };
          const direct = await client.ask(at(mock.url), whole, stream);
          const through = await client.ask(at(gateway.url), whole, stream);
          expect(gist(through)).toEqual(gist(direct));
          expect(mock.getLastRequest()?.path).toMatch(paths[dialect]);
        }
      });

      test.each([false, true])("an error, asked for a stream: %s", async (stream) => {
        const direct = await raised(client, mock.url, stream, { user: "Be wrong." });
        const through = await raised(client, gateway.url, stream, { user: "Be wrong." });
        expect(through.gist).toEqual(direct.gist);
        expect(through.told).toContain("There is no such thing.");
      });

      test("and takes no stream for whole that breaks off", async () => {
        const { heard, told } = await raised(client, gateway.url, true, { user: "Break off." });
        expect(told).toContain("is not whole");
        expect(heard).not.toBe("");
        expect(broken.startsWith(heard)).toBe(true);
      });
    },
  );
});

const at = (url: string): Place => ({ url, key: apiKey, model: name });

/** The mock leaves out details of its usage. */
function gist({ own: _own, model: _model, usage: counts, ...heard }: Heard): unknown {
  return { ...heard, usage: counts.map((count) => count ?? 0) };
}
