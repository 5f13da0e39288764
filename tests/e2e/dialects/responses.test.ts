import { answersError, startUpstream } from "@tuloy/testkit";
import type { ResponseItem, ResponseShape, ScriptedUpstream } from "@tuloy/testkit";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { model } from "../../harness.ts";
import type { TestGateway } from "../../harness.ts";
import { answersAs, directClient, gist, hearResponse, question, speakers, type Spoken } from "../../responses-scene.ts";
import { openScene } from "../../scene.ts";

const tools: OpenAI.Responses.FunctionTool[] = ["weather", "time"].map((name) => ({
  type: "function",
  name,
  description: `Says the ${name}.`,
  parameters: { type: "object", properties: { at: { type: "string" } }, required: ["at"], additionalProperties: false },
  strict: true,
}));
const schema = {
  type: "object",
  properties: { city: { type: "string" }, rain: { type: "boolean" } },
  required: ["city", "rain"],
  additionalProperties: false,
} as const;

interface Case {
  readonly items: readonly ResponseItem[];
  readonly shape?: ResponseShape;
  readonly asks?: Partial<OpenAI.Responses.ResponseCreateParamsNonStreaming>;
}

const cases: Readonly<Record<string, Case>> = {
  "plain text": {
    items: [{ text: "Magandang umaga, how are you?" }],
    asks: { metadata: { a: "1" }, instructions: "Be kind." },
  },
  "a tool": {
    items: [{ call: "weather", callId: "call_1", arguments: '{"at": "Manila"}' }],
    asks: { tools, tool_choice: "required" },
  },
  "parallel tools after a text": {
    items: [
      { text: "Let me look." },
      { call: "weather", callId: "call_1", arguments: '{"at": "Manila"}' },
      { call: "time", callId: "call_2", arguments: '{"at": "Cebu"}' },
    ],
    asks: { tools, parallel_tool_calls: true },
  },
  "an image": {
    items: [{ text: "A cat." }],
    asks: {
      input: [
        {
          role: "user",
          content: [
            { type: "input_text", text: "What is it?" },
            { type: "input_image", image_url: "data:image/png;base64,iVBORw0KGgo=", detail: "low" },
          ],
        },
      ],
    },
  },
  reasoning: {
    items: [{ reasoning: "They greet me in Tagalog." }, { text: "Magandang umaga." }],
    asks: { reasoning: { effort: "low", summary: "auto" } },
  },
  "a refusal": { items: [{ refusal: "I can't help with that." }] },
  "an answer cut by its limit": {
    items: [{ text: "It begins" }],
    shape: { incomplete: "max_output_tokens" },
    asks: { max_output_tokens: 20 },
  },
  "an answer cut by a filter": { items: [{ text: "It begins" }], shape: { incomplete: "content_filter" } },
};

describe.each(["openai-responses", "openai-chat", "anthropic-messages"] as const)(
  "a Responses client of a deployment that speaks %s",
  (dialect) => {
    let mock: ScriptedUpstream;
    let opened: Awaited<ReturnType<typeof openScene<"a">>>;
    let gateway: TestGateway;

    beforeAll(async () => {
      mock = await startUpstream([]);
      const providers = { a: speakers[dialect] };
      opened = await openScene({ a: [] }, { providers });
      ({ gateway } = opened.scene);
    });
    afterAll(async () => {
      await opened.close();
      await mock.close();
    });

    /** What both say next. */
    function both({ items, shape }: Case): void {
      mock.script(answersAs("openai-responses", items, shape));
      opened.scene.a.script(answersAs(dialect, items, shape));
    }

    it.each(casesFor(dialect))("hears the same as without a gateway: %s", async (_name, one) => {
      both(one);
      const asks = { ...question, ...one.asks };
      const direct = await directClient(mock.url).responses.create(asks);
      const through = await gateway.client().responses.create(asks);
      expect(gist(through)).toEqual(gist(direct));
      const own = { object: "response", store: false, model: "model-x" };
      expect(through).toMatchObject(dialect === "openai-responses" ? { ...direct } : own);
    });

    it.each(casesFor(dialect))("hears the same in a stream: %s", async (_name, one) => {
      both(one);
      const direct = await hearResponse(directClient(mock.url), one.asks);
      const through = await hearResponse(gateway.client(), one.asks);
      expect([direct.error, through.error]).toEqual([null, null]);
      if (direct.final === null || through.final === null) throw new Error("a stream had no end");
      expect(gist(through.final)).toEqual(gist(direct.final));
      const numbers = through.events.map((event) => event.sequence_number);
      expect(numbers).toEqual(numbers.map((_, index) => index));
      // Each kind of event comes in the same order, however the pieces are cut.
      expect(kindsOf(through.events)).toEqual(kindsOf(direct.events));
      const passed = dialect === "openai-responses" ? direct.events : through.events;
      expect(through.events).toEqual(passed);
    });

    it("parses an answer by its schema", async () => {
      both({ items: [{ text: '{"city": "Manila", "rain": true}' }] });
      const asks = {
        ...question,
        text: { format: { type: "json_schema" as const, name: "weather", schema, strict: true } },
      };
      const direct = await directClient(mock.url).responses.parse(asks);
      const through = await gateway.client().responses.parse(asks);
      expect(through.output_parsed).toEqual({ city: "Manila", rain: true });
      expect(through.output_parsed).toEqual(direct.output_parsed);
    });

    it("gets the provider's own error about its request, and one of its own when nobody answers", async () => {
      for (const script of [answersError(400, "invalid_value", "no such thing"), answersError(500, null, "down")]) {
        mock.script(script);
        opened.scene.a.script(script);
        const [direct, through] = await Promise.all(
          [directClient(mock.url), gateway.client()].map((client) =>
            client.responses.create(question).catch((error: unknown) => error),
          ),
        );
        expect(direct).toBeInstanceOf(OpenAI.APIError);
        expect(through).toBeInstanceOf(OpenAI.APIError);
        expect((through as InstanceType<typeof OpenAI.APIError>).status).toBe(
          (direct as InstanceType<typeof OpenAI.APIError>).status,
        );
      }
    });
  },
);

/** Anthropic's models decline without a word of their own. */
function casesFor(dialect: Spoken): [name: string, one: Case][] {
  return Object.entries(cases).filter(([name]) => dialect !== "anthropic-messages" || name !== "a refusal");
}

/** The kinds of a stream's events, with those of one kind in a row as one. */
function kindsOf(events: readonly { readonly type: string }[]): string[] {
  return events.map(({ type }) => type).filter((type, index, all) => type !== all[index - 1]);
}

it("serves both prefixes, and says where responses are when a path is wrong", async () => {
  const { scene, close } = await openScene({ a: answersAs("openai-chat", [{ text: "Hi" }]) });
  const ask = (path: string): Promise<Response> =>
    fetch(scene.gateway.url + path, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: "Bearer test-key-of-sixteen-characters-and-more" },
      body: JSON.stringify({ model, input: "Hi" }),
    });
  for (const path of ["/v1/responses", "/api/v1/responses", "/v1/responses/"])
    expect((await ask(path)).status).toBe(200);
  const wrong = await ask("/v1/response");
  expect(wrong.status).toBe(404);
  expect(await wrong.text()).toContain("/v1/responses");
  await close();
});
