import type { Trace } from "@tuloy/contract";
import { answersChat, answersConverse, answersMessage, answersResponse } from "@tuloy/testkit";
import type { Collected, Script } from "@tuloy/testkit";
import { describe, expect, test } from "vitest";

import { bedrockServing, signed } from "../../bedrock-scene.ts";
import { had, pieces, whole } from "../../breaking-stream.ts";
import { control, startDrill } from "../../control.ts";
import { aiStudio, answersGemini } from "../../gemini-scene.ts";
import { model, type TestGateway, type TestProvider } from "../../harness.ts";
import { anthropicAt, asked, claude, hearEvents } from "../../messages-scene.ts";
import { hearResponse, speaksResponses } from "../../responses-scene.ts";
import { hearStream, post, question, setScene, type Scene } from "../../scene.ts";

const stagingKey = "staging-key-of-sixteen-characters-and-more";
const keys = [`{ name: stage, value: ${stagingKey}, environment: staging }`];
const twin = { facts: "continuation: none" };
const quick = "first_token: 300ms, answer: 300ms, stall: 300ms";

interface Heard {
  readonly text: string;
  readonly error: unknown;
}

interface Spoken {
  readonly provider: Omit<TestProvider, "url">;
  readonly script: Script;
  /** By the official SDK of a client's dialect: the deployment's own where clients speak it. */
  readonly stream: (gateway: TestGateway) => Promise<Heard>;
  readonly json: (gateway: TestGateway) => Promise<Collected>;
  /** What of the table below is otherwise here. */
  readonly differs: Readonly<Record<string, readonly [stream: string | null, json: string | null]>>;
}

const asChat: Pick<Spoken, "stream" | "json"> = {
  stream: (gateway) => hearStream(gateway.client({ apiKey: stagingKey })),
  json: (gateway) => post(gateway, { ...question }, asStaging),
};
const asStaging = { headers: { authorization: `Bearer ${stagingKey}` } };

const spoken: Readonly<Record<string, Spoken>> = {
  "anthropic-messages": {
    provider: claude,
    script: answersMessage(whole),
    stream: (gateway) => hearEvents(anthropicAt(gateway.url, stagingKey)),
    json: (gateway) => post(gateway, asked, { path: "/v1/messages", ...asStaging }),
    differs: {},
  },
  "openai-responses": {
    provider: speaksResponses,
    script: answersResponse([{ text: whole }]),
    async stream(gateway) {
      const { events, error } = await hearResponse(gateway.client({ apiKey: stagingKey }), { input: "Say something." });
      const deltas = events.map((event) => (event.type === "response.output_text.delta" ? event.delta : ""));
      return { text: deltas.join(""), error };
    },
    json: (gateway) => post(gateway, { model, input: "Say something." }, { path: "/v1/responses", ...asStaging }),
    differs: {},
  },
  gemini: {
    provider: aiStudio,
    script: answersGemini([...pieces.map((text) => [{ text }]), []]),
    ...asChat,
    differs: {},
  },
  "bedrock-converse": {
    provider: bedrockServing(),
    script: signed(answersConverse(whole)),
    ...asChat,
    // Of money AWS knows nothing: its quotas are limits, which others have room in.
    differs: { quota: ["rate_limited", "rate_limited"] },
  },
};
const dialects = Object.entries(spoken);

function scene({ provider, script }: Spoken, failover: string): Promise<Scene<"a" | "b">> {
  return setScene({ a: script, b: answersChat(whole) }, { keys, failover, providers: { a: provider, b: twin } });
}

/** What each fault that a dialect has words for is taken for, as a stream and as JSON; null: the answer is good. */
const takenFor: Spoken["differs"] = {
  comments: ["first_token_timeout", "first_token_timeout"],
  stall: ["stall", "first_token_timeout"],
  cut: ["truncated", "reset"],
  truncate: ["truncated", "garbled"],
  malformed: [null, "garbled"],
  "no-done": [null, null],
  empty: ["empty", "empty"],
  "error-event": ["server_error", "server_error"],
  "500": ["server_error", "server_error"],
  "503": ["overloaded", "overloaded"],
  "529": ["overloaded", "overloaded"],
  "429": ["rate_limited", "rate_limited"],
  quota: ["quota_exhausted", "quota_exhausted"],
  "401": ["auth", "auth"],
  "403": ["auth", "auth"],
  "404": ["model_missing", "model_missing"],
};
const atTokens = new Set(["stall", "cut", "truncate", "malformed"]);

describe.each(dialects)("over a deployment spoken to in %s, the fault", (_dialect, speaking) => {
  test.each(Object.entries({ ...takenFor, ...speaking.differs }))("%s", async (fault, [stream, json]) => {
    const { gateway } = await scene(speaking, quick);
    const text = atTokens.has(fault) ? `${fault}:3` : fault;
    const first = await startDrill(gateway, { provider: "a", fault: text });
    // Whatever it is taken for, the twin lets nobody see it.
    expect(await speaking.stream(gateway)).toMatchObject({ text: whole, error: null });
    check(await gateway.lastTrace(1), stream, first.id);

    await control(gateway, "DELETE", `/drills/${first.id}`);
    const second = await startDrill(gateway, { provider: "a", fault: text });
    const answer = await speaking.json(gateway);
    expect([answer.status, answer.text()]).toEqual([200, expect.stringContaining(whole)]);
    check(await gateway.lastTrace(2), json, second.id);
  });

  function check({ attempts }: Trace, failure: string | null, drill: string): void {
    expect(attempts[0]).toMatchObject({ provider: "a", failure, drill });
    expect(attempts.slice(1)).toMatchObject(failure === null ? [] : [{ provider: "b", failure: null }]);
  }
});

describe.each(dialects)("a stream that is spoken in %s,", (_dialect, speaking) => {
  test.each(["cut", "truncate", "stall"])("%s after three pieces, has these and not one more", async (fault) => {
    const { b, gateway } = await scene(speaking, `${quick}, on_partial: error`);
    await startDrill(gateway, { provider: "a", fault: `${fault}:3` });
    const { text, error } = await speaking.stream(gateway);
    expect([text, error]).toEqual([had, expect.any(Error)]);
    expect(b.requests).toHaveLength(0);
  });

  test("cut where it has fewer, has all of them, and no end", async () => {
    const { gateway } = await scene(speaking, "on_partial: error");
    await startDrill(gateway, { provider: "a", fault: "cut:99" });
    const { text, error } = await speaking.stream(gateway);
    expect([text, error]).toEqual([whole, expect.any(Error)]);
  });
});
