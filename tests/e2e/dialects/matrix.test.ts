import { startUpstream } from "@tuloy/testkit";
import type { ScriptedUpstream } from "@tuloy/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { apiKey } from "../../harness.ts";
import { arrived, type Arrived } from "../../matrix/arrived.ts";
import { official, type Asked, type Client, type Heard, type Place } from "../../matrix/clients.ts";
import { claudes, says, spoken, type Said, type Spoken } from "../../matrix/said.ts";
import { name, providers, strict } from "../../matrix/scenes.ts";
import { vercels } from "../../matrix/vercel.ts";
import { openScene } from "../../scene.ts";

interface Case {
  /** What both models say, an answer to each request. */
  readonly said: readonly Said[];
  readonly asked?: Partial<Asked>;
  /** What of the last request has to arrive, besides what arrives without a gateway. */
  readonly arrives?: Partial<Arrived>;
  /** The dialects whose models can say so. Default: all. */
  readonly only?: readonly Spoken[];
  /** The last request has to have the thought before the calls that it has the results of. */
  readonly thinksOn?: true;
}

const manila = { id: "call_1", name: "weather", input: { at: "Manila" } };
const cebu = { id: "call_2", name: "time", input: { at: "Cebu, 宿霧" } };
const picture = "iVBORw0KGgo=";

const declined: Readonly<Record<string, Case>> = {
  "a refusal in words": {
    said: [{ refusal: "I can't help with that." }],
    only: ["openai-chat", "openai-responses"],
  },
  "an answer that was declined": { said: [{ text: "It begins", cut: "filter" }] },
  "an answer that was declined before it began": { said: [{ cut: "filter" }] },
};

const hidden: Case = {
  said: [{ thought: "", text: "Magandang umaga." }],
  asked: { thinks: true },
  arrives: { thinks: true },
};

/** Gemini bills the time that something is kept, and counts no tokens for it. */
const cached: Case = {
  said: [{ text: "Noted.", written: 5 }],
  only: ["openai-chat", "openai-responses", "anthropic-messages", "bedrock-converse"],
};

const cases: Readonly<Record<string, Case>> = {
  "plain text and its usage": {
    said: [{ text: "Magandang umaga, 日本 🎉. How are you?" }],
    asked: { system: "Be kind." },
    arrives: { system: "Be kind.", limit: 4000 },
  },
  "a tool": {
    said: [{ calls: [manila] }],
    asked: { tools: ["weather"] },
    arrives: { tools: ["weather(at)"] },
  },
  "parallel tools after a text": {
    said: [{ text: "I look.", calls: [manila, cebu] }],
    asked: { tools: ["weather", "time"] },
    arrives: { tools: ["weather(at)", "time(at)"] },
  },
  "a call without arguments": {
    said: [{ calls: [{ id: "call_1", name: "weather", input: {} }] }],
    asked: { tools: ["weather"] },
  },
  "an image": {
    said: [{ text: "A cat." }],
    asked: { turns: [{ user: "What is it?", image: picture }] },
    arrives: {
      pieces: [
        ["user", "text", "What is it?"],
        ["user", "image", `data:image/png;base64,${picture}`],
      ],
    },
  },
  "an object by its schema": {
    said: [{ text: '{"city":"Manila","sky":"clear"}' }],
    asked: { schema: ["city", "sky"] },
    arrives: { schema: ["city", "sky"] },
  },
  "a thought and an answer": {
    said: [{ thought: "They greet me in Tagalog.", text: "Magandang umaga." }],
    asked: { thinks: true },
    arrives: { thinks: true },
  },
  "a thought that shows nothing": hidden,
  "a thought and calls": {
    said: [{ thought: "I have to look.", calls: [manila, cebu] }],
    asked: { thinks: true, tools: ["weather", "time"] },
    arrives: { thinks: true, tools: ["weather(at)", "time(at)"] },
    thinksOn: true,
  },
  ...declined,
  "an answer cut by its limit": { said: [{ text: "It begins", cut: "length" }] },
  "a thought that used up the limit": { said: [{ thought: "Let me see.", cut: "length" }], asked: { thinks: true } },
  "what a cache was given": cached,
};

/** Vercel's SDK runs its tools and asks again, with their results. */
const vercelCases: Readonly<Record<string, Case>> = {
  "text and its usage": { said: [{ text: "Magandang umaga, 日本 🎉." }], asked: { system: "Be kind." } },
  "a thought and an answer": {
    said: [{ thought: "They greet me.", text: "Magandang umaga." }],
    asked: { thinks: true },
    arrives: { thinks: true },
  },
  "an object by its schema": {
    said: [{ text: '{"city":"Manila","sky":"clear"}' }],
    asked: { schema: ["city", "sky"] },
    arrives: { schema: ["city", "sky"] },
  },
  "an image": { said: [{ text: "A cat." }], asked: { turns: [{ user: "What is it?", image: picture }] } },
  "tools over two steps": {
    said: [{ text: "I look.", calls: [manila, cebu] }, { text: "It rains, at noon." }],
    asked: { tools: ["weather", "time"] },
    arrives: {
      pieces: [
        ["user", "text", "Say something."],
        ["assistant", "text", "I look."],
        ["assistant", "call", "call_1", "weather", '{"at":"Manila"}'],
        ["assistant", "call", "call_2", "time", '{"at":"Cebu, 宿霧"}'],
        ["user", "result", "call_1", "weather in Manila"],
        ["user", "result", "call_2", "time in Cebu, 宿霧"],
      ],
    },
  },
  "a thought that shows nothing": hidden,
  "thoughts and tools over two steps": {
    said: [
      { thought: "I have to look.", calls: [manila, cebu] },
      { thought: "Rain.", text: "It rains, at noon." },
    ],
    asked: { tools: ["weather", "time"], thinks: true },
    arrives: { thinks: true, tools: ["weather(at)", "time(at)"] },
    thinksOn: true,
  },
  ...declined,
  "an answer cut by its limit": { said: [{ text: "It begins", cut: "length" }] },
  "what a cache was given": cached,
};

describe.each(spoken)("from a deployment that speaks %s", (dialect) => {
  let opened: Awaited<ReturnType<typeof openScene<"a">>>;
  let mock: ScriptedUpstream;

  beforeAll(async () => {
    mock = await startUpstream([]);
    // What a test has fail is no reason to leave the provider alone in the next.
    const failover = "breaker: { failures: 1000, of: 1000 }";
    opened = await openScene({ a: [] }, { providers: { a: providers[dialect] }, failover });
  });
  afterAll(async () => {
    await opened.close();
    await mock.close();
  });

  /** What a client hears of it and what it hears without a gateway, with the last request that each of both led to. */
  async function both(client: Client, { said, asked }: Case, stream: boolean) {
    const { a, gateway } = opened.scene;
    a.script(said.map((one) => strict(dialect, says[dialect](one))));
    mock.script(said.map((one) => strict(client.dialect, says[client.dialect](one))));
    const whole = { turns: [{ user: "Say something." }], ...asked };
    const direct = await client.ask({ ...place, url: mock.url }, whole, stream);
    const through = await client.ask({ ...place, url: gateway.url }, whole, stream);
    return { direct, through, asked: last(a, dialect), askedDirectly: last(mock, client.dialect) };
  }

  describe.each(Object.entries(official))("a client of %s hears the same as without a gateway", (_, client) => {
    test.each(casesOf(cases, dialect))("%s", async (_what, one) => {
      for (const stream of [false, true]) {
        const { direct, through, asked, askedDirectly } = await both(client, one, stream);
        expect(gist(through, dialect)).toEqual(gist(direct, dialect));
        expect(through.model).toBe(models[dialect]);
        expect(asked).toEqual(askedDirectly);
        expect(asked).toMatchObject({ ...one.arrives, stream });
      }
    });
  });

  describe.each(Object.entries(vercels))("Vercel's SDK by %s hears the same as without a gateway", (_, client) => {
    test.each(casesOf(vercelCases, dialect))("%s", async (_what, one) => {
      for (const stream of [false, true]) {
        const { direct, through, asked, askedDirectly } = await both(client, one, stream);
        expect(gist(through, dialect)).toEqual(gist(direct, dialect));
        expect(through.model).toBe(models[dialect]);
        expect(through.own).toEqual(direct.own);
        // Of a thought this SDK keeps only its words, and Claude takes no call of its own without the thought that it was sealed with.
        const stops = client.dialect === "openai-chat" && claudes.has(dialect) && one.thinksOn === true;
        const thinks = stops ? { thinks: false } : {};
        expect(asked).toEqual({ ...askedDirectly, ...thinks });
        expect(asked).toMatchObject({ ...one.arrives, ...thinks, stream });
      }
    });
  });
});

const place: Place = { url: "", key: apiKey, model: name };

function casesOf(all: Readonly<Record<string, Case>>, dialect: Spoken): [what: string, one: Case][] {
  return Object.entries(all).filter(([, { only }]) => only === undefined || only.includes(dialect));
}

function last({ requests }: ScriptedUpstream, dialect: Spoken): Arrived {
  const request = requests.at(-1);
  if (request === undefined) throw new Error("nobody was asked");
  return arrived[dialect](request);
}

/** As its answers name it; Bedrock's do not, so it has the name that it is asked by. */
const models: Readonly<Record<Spoken, string>> = {
  "openai-chat": "model-x",
  "openai-responses": "model-x",
  "anthropic-messages": "model-x",
  gemini: "gemini-x",
  "bedrock-converse": "anthropic.claude-haiku-4-5-20251001-v1:0",
};

/** Converse does not count thoughts. */
function gist({ own: _own, model: _model, usage, ...heard }: Heard, dialect: Spoken): unknown {
  return { ...heard, usage: dialect === "bedrock-converse" ? usage.filter((_, at) => at !== 3) : usage };
}
