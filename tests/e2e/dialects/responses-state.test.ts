import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import type { Clock } from "@tuloy/contract";
import { answersChat, answersError, answersResponse } from "@tuloy/testkit";
import type { ReceivedRequest, Script } from "@tuloy/testkit";
import OpenAI from "openai";
import { systemClock } from "tuloy";
import { describe, expect, it } from "vitest";

import { hearResponse, question, speaksResponses } from "../../responses-scene.ts";
import { setScene } from "../../scene.ts";
import { openWire, rawRequest } from "../../wire.ts";

const both = { providers: { a: speaksResponses, b: speaksResponses } };
const says = (name: string, id = `resp_${name}`): Script => answersResponse([{ text: `I am ${name}.` }], { id });

/** What a request that is refused is told. */
async function refusal(asked: Promise<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> {
  const error: unknown = await asked.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof OpenAI.APIError)) throw new Error(`no API error: ${String(error)}`);
  return error;
}

const keyOf = (request: ReceivedRequest | undefined): string | undefined => request?.headers.authorization;

describe("a response that its provider keeps", () => {
  it.each(["whole", "streamed"])("is gone on with where it is, whoever comes first in the route: %s", async (how) => {
    const { a, b, gateway } = await setScene({ a: answersError(503, null, "busy"), b: says("b") }, both);
    const client = gateway.client();
    const first = how === "whole" ? await client.responses.create(question) : (await hearResponse(client)).final;
    expect(first?.id).toBe("resp_b");
    a.script(says("a"));
    await client.responses.create({ ...question, previous_response_id: "resp_b" });
    expect(a.requests).toHaveLength(1);
    expect(
      b.requests.map((request) => (request.json() as { previous_response_id?: string }).previous_response_id),
    ).toEqual([undefined, "resp_b"]);
    const { exclusions } = await gateway.lastTrace(2);
    expect(exclusions.map(({ deployment, reason }) => [deployment, reason])).toEqual([
      ["a/model-x", "locked_elsewhere"],
    ]);
  });

  it("is not looked for anywhere else when its provider fails, and the client is told what to do", async () => {
    const { a, b, gateway } = await setScene({ a: [says("a"), answersError(500, null, "down")], b: says("b") }, both);
    const client = gateway.client();
    await client.responses.create(question);
    a.script(answersError(500, null, "down"));
    const error = await refusal(client.responses.create({ ...question, previous_response_id: "resp_a" }));
    expect(error.status).toBe(500);
    expect(error.message).toContain("kept by a only");
    expect(b.requests).toHaveLength(0);
  });

  it("is gone on with under the key that made it", async () => {
    let draw = 0.9;
    const { a, gateway } = await setScene(
      { a: says("a") },
      {
        providers: {
          a: { ...speaksResponses, keys: ["sk-one-of-sixteen-characters", "sk-two-of-sixteen-characters"] },
        },
        random: () => draw,
      },
    );
    const client = gateway.client();
    await client.responses.create(question);
    draw = 0.1;
    await client.responses.create({ ...question, previous_response_id: "resp_a" });
    await client.responses.create(question);
    const [made, next, other] = a.requests.map(keyOf);
    expect(made).toBe("Bearer sk-two-of-sixteen-characters");
    expect(next).toBe(made);
    expect(other).not.toBe(made);
  });

  it("takes no session with it: only what is free to go anywhere says where a session stays", async () => {
    const { a, b, gateway } = await setScene(
      { a: answersError(503, null, "busy"), b: says("b") },
      {
        providers: {
          a: { ...speaksResponses, price: "{ input: 1, output: 1 }" },
          b: { ...speaksResponses, price: "{ input: 2, output: 2 }" },
        },
        routes: ["name: cheap, strategy: cost, match: { models: [model-x] }"],
      },
    );
    const client = gateway.client();
    await client.responses.create(question);
    a.script(says("a"));
    const talk = { headers: { "x-session-id": "talk" } };
    await client.responses.create(question, talk);
    await client.responses.create({ ...question, previous_response_id: "resp_b" }, talk);
    expect([a.requests.length, b.requests.length]).toEqual([2, 2]);
    await client.responses.create(question, talk);
    expect([a.requests.length, b.requests.length]).toEqual([3, 2]);
  });

  it("may be referred to by its items", async () => {
    const { a, b, gateway } = await setScene({ a: answersError(503, null, "busy"), b: says("b") }, both);
    const client = gateway.client();
    await client.responses.create(question);
    a.script(says("a"));
    const input: OpenAI.Responses.ResponseInput = [
      { type: "item_reference", id: "msg_b_0" },
      { role: "user", content: "Go on." },
    ];
    await client.responses.create({ ...question, input });
    expect(a.requests).toHaveLength(1);
    expect(b.requests).toHaveLength(2);
  });

  it.each<[string, readonly object[]]>([
    ["by its id alone", [{ id: "msg_a_0" }]],
    [
      "behind what only this API has",
      [
        { type: "web_search_call", id: "ws_1" },
        { type: "item_reference", id: "msg_a_0" },
      ],
    ],
  ])("is opened to no other environment by its items, %s", async (_, items) => {
    const other = "another-key-of-sixteen-characters";
    const keys = [`{ name: staging, value: ${other}, environment: staging }`];
    const { a, gateway } = await setScene({ a: says("a") }, { ...both, keys });
    await gateway.client().responses.create(question);
    const input = [...items, { role: "user", content: "Go on." }] as OpenAI.Responses.ResponseInput;
    const error = await refusal(gateway.client({ apiKey: other }).responses.create({ ...question, input }));
    expect([error.status, error.code]).toEqual([404, "response_not_found"]);
    expect(a.requests).toHaveLength(1);
    await gateway.client().responses.create({ ...question, input });
    expect(a.requests).toHaveLength(2);
  });

  it("is looked up once, however often a request names it, and no request names more than a thousand", async () => {
    const { a, gateway } = await setScene({ a: says("a") }, both);
    const client = gateway.client();
    await client.responses.create(question);
    const naming = (...ids: readonly string[]): OpenAI.Responses.ResponseInput => [
      ...ids.map((id) => ({ type: "item_reference" as const, id })),
      { role: "user", content: "Go on." },
    ];
    const often = Array.from({ length: 20_000 }, () => "msg_a_0");
    await client.responses.create({ ...question, input: naming(...often) });
    expect(a.requests).toHaveLength(2);
    const many = Array.from({ length: 1001 }, (_, index) => `msg_${index}`);
    const error = await refusal(client.responses.create({ ...question, input: naming(...many) }));
    expect([error.status, error.code]).toEqual([400, "invalid_request"]);
    expect(error.message).toContain("1000 is the most");
    expect(a.requests).toHaveLength(2);
  });

  it("is all that its id opens: no other path of its provider", async () => {
    const { a, gateway } = await setScene({ a: says("a") }, both);
    await gateway.client().responses.create(question);
    a.script((reply) => reply.json(200, { object: "list", data: [] }));
    const paths = ["resp_a/input_items", "resp_a/input_items#/../../../files", "resp_a/input_items#?/../../files"];
    for (const path of paths) {
      const wire = await openWire(gateway.url);
      wire.send(rawRequest({ method: "GET", path: `/v1/responses/${path}`, lines: ["Connection: close"], body: "" }));
      await wire.closed();
    }
    const asked = new Set(a.requests.slice(1).map(({ path }) => path));
    expect([...asked]).toEqual(["/v1/responses/resp_a/input_items"]);
  });

  it("can be retrieved, listed, cancelled and deleted, with its provider's key, and is gone then", async () => {
    const { a, gateway } = await setScene({ a: says("a") }, both);
    const client = gateway.client();
    await client.responses.create(question);
    a.script((reply, { method }) =>
      reply.json(
        200,
        method === "DELETE"
          ? { id: "resp_a", deleted: true }
          : { id: "resp_a", object: "response", output: [], data: [] },
      ),
    );
    expect((await client.responses.retrieve("resp_a", { include: ["reasoning.encrypted_content"] })).id).toBe("resp_a");
    expect((await client.responses.inputItems.list("resp_a")).data).toEqual([]);
    expect((await client.responses.cancel("resp_a")).id).toBe("resp_a");
    await client.responses.delete("resp_a");
    expect((await refusal(client.responses.retrieve("resp_a"))).status).toBe(404);
    expect(a.requests.slice(1).map(({ method, path }) => `${method} ${path}`)).toEqual([
      "GET /v1/responses/resp_a?include%5B%5D=reasoning.encrypted_content",
      "GET /v1/responses/resp_a/input_items",
      "POST /v1/responses/resp_a/cancel",
      "DELETE /v1/responses/resp_a",
    ]);
    expect(new Set(a.requests.map(keyOf))).toEqual(new Set(["Bearer sk-a-secret-key"]));
  });

  it("is streamed again when it is retrieved so", async () => {
    const { a, gateway } = await setScene({ a: says("a") }, both);
    const client = gateway.client();
    await client.responses.create({ ...question, background: true });
    a.script((reply) =>
      reply.eventStream().chunk('event: response.created\ndata: {"type":"response.created"}\n\n').end(),
    );
    const events = [];
    for await (const event of await client.responses.retrieve("resp_a", { stream: true })) events.push(event);
    expect(events).toEqual([{ type: "response.created" }]);
  });

  it("passes on what its provider says of it, but nothing that is said of the key", async () => {
    const { a, gateway } = await setScene({ a: says("a") }, both);
    const client = gateway.client();
    await client.responses.create(question);
    a.script(answersError(404, "not_found", "Response with id 'resp_a' not found."));
    expect((await refusal(client.responses.retrieve("resp_a"))).message).toContain(
      "Response with id 'resp_a' not found.",
    );
    a.script(answersError(401, "invalid_api_key", "Incorrect API key provided: sk-a-secret-key."));
    const error = await refusal(client.responses.retrieve("resp_a"));
    expect([error.status, error.code]).toEqual([502, "upstream_failed"]);
    expect(error.message).not.toContain("sk-a-secret-key");
    a.script((reply) => reply.reset());
    expect((await refusal(client.responses.retrieve("resp_a"))).status).toBe(502);
  });

  it("is unknown to another environment", async () => {
    const other = "another-key-of-sixteen-characters";
    const { a, gateway } = await setScene(
      { a: says("a") },
      { ...both, keys: [`{ name: staging, value: ${other}, environment: staging }`] },
    );
    await gateway.client().responses.create(question);
    const stranger = gateway.client({ apiKey: other });
    const errors = [
      await refusal(stranger.responses.create({ ...question, previous_response_id: "resp_a" })),
      await refusal(stranger.responses.retrieve("resp_a")),
      await refusal(stranger.responses.delete("resp_a")),
      await refusal(stranger.responses.create({ ...question, input: [{ type: "item_reference", id: "msg_a_0" }] })),
    ];
    expect(errors.map(({ status, code }) => [status, code])).toEqual(errors.map(() => [404, "response_not_found"]));
    expect(a.requests).toHaveLength(1);
  });

  it("leaves its id nowhere in the records, and nothing at all under retention: none", async () => {
    const routes = ["name: quiet, match: { header: { x-quiet: please } }, retention: none"];
    const { a, gateway } = await setScene({ a: says("a", "resp_plainly_visible") }, { ...both, routes });
    await gateway.client({ headers: { "x-quiet": "please" } }).responses.create(question);
    expect((await refusal(gateway.client().responses.retrieve("resp_plainly_visible"))).status).toBe(404);
    await gateway.client().responses.create(question);
    a.script((reply) => reply.json(200, { object: "list", data: [], has_more: false }));
    await gateway.client().responses.inputItems.list("resp_plainly_visible");
    for (const file of readdirSync(gateway.dataDir)) {
      expect(readFileSync(join(gateway.dataDir, file)).includes("resp_plainly_visible")).toBe(false);
    }
  });
});

describe("a response that nobody keeps", () => {
  it("says so, and its id leads to a 404 that says why", async () => {
    const { a, gateway } = await setScene({ a: answersChat("Hello there") });
    const client = gateway.client();
    const { data: answer, response } = await client.responses.create(question).withResponse();
    const { id, output } = answer;
    expect(answer).toMatchObject({ output_text: "Hello there", store: false });
    const [item] = output;
    const errors = [
      await refusal(client.responses.retrieve(id)),
      await refusal(client.responses.create({ ...question, previous_response_id: id })),
      await refusal(client.responses.create({ ...question, input: [{ type: "item_reference", id: item?.id ?? "" }] })),
    ];
    for (const error of errors) {
      expect([error.status, error.code]).toEqual([404, "response_not_found"]);
      expect(error.message).toContain("does not keep any");
      expect(error.message).toContain('"store": false');
    }
    expect(a.requests).toHaveLength(1);
    const { notes } = await gateway.trace(response.headers.get("x-tuloy-trace-id"));
    expect(notes.join("\n")).toContain("this answer is kept nowhere");
  });

  it("is one that was asked not to be kept", async () => {
    const { gateway } = await setScene({ a: says("a") }, both);
    await gateway.client().responses.create({ ...question, store: false });
    expect((await refusal(gateway.client().responses.retrieve("resp_a"))).status).toBe(404);
  });
});

describe("what only this API can do", () => {
  const search: OpenAI.Responses.Tool[] = [{ type: "web_search" }];

  it("goes to a deployment that speaks it, and to no other when that fails", async () => {
    const { a, b, gateway } = await setScene(
      { a: answersChat("never"), b: says("b") },
      { providers: { b: speaksResponses } },
    );
    const client = gateway.client();
    expect((await client.responses.create({ ...question, tools: search })).output_text).toBe("I am b.");
    b.script(answersError(400, "bad", "no"));
    expect((await refusal(client.responses.create({ ...question, tools: search }))).status).toBe(400);
    expect(a.requests).toHaveLength(0);
    const { exclusions } = await gateway.lastTrace(2);
    expect(exclusions).toMatchObject([
      { deployment: "a/model-x", reason: "capability", detail: expect.stringContaining("uses the tool web_search") },
    ]);
  });

  it("is refused, with the reason, where nobody speaks it", async () => {
    const { a, gateway } = await setScene({ a: answersChat("never") });
    const error = await refusal(gateway.client().responses.create({ ...question, tools: search }));
    expect([error.status, error.code]).toEqual([400, "no_deployment_allowed"]);
    expect(error.message).toContain("web_search");
    expect(a.requests).toHaveLength(0);
  });

  it("gives a conversation to the environment that goes on with it first, and to no other", async () => {
    const other = "another-key-of-sixteen-characters";
    const { a, gateway } = await setScene(
      { a: says("a") },
      {
        ...both,
        keys: [`{ name: staging, value: ${other}, environment: staging }`],
        routes: ["name: quiet, match: { header: { x-quiet: please } }, retention: none"],
      },
    );
    const mine = gateway.client();
    const strangers = gateway.client({ apiKey: other });
    const unknown = async (client: OpenAI, more: object): Promise<void> => {
      const error = await refusal(client.responses.create({ ...question, ...more }));
      expect([error.status, error.code]).toEqual([404, "response_not_found"]);
    };
    // Who may not be recorded can't be given one.
    await unknown(gateway.client({ headers: { "x-quiet": "please" } }), { conversation: "conv_1" });
    await mine.responses.create({ ...question, conversation: "conv_1" });
    await unknown(strangers, { conversation: "conv_1" });
    await unknown(strangers, { conversation: { id: "conv_1" } });
    await mine.responses.create({ ...question, conversation: "conv_1" });
    expect(a.requests).toHaveLength(2);
    // One's own conversation opens nobody else's items.
    await unknown(strangers, { conversation: "conv_2", input: [{ type: "item_reference", id: "msg_a_0" }] });
    expect(a.requests).toHaveLength(2);
    await strangers.responses.create({ ...question, conversation: "conv_2" });
    await unknown(mine, { conversation: "conv_2" });
  });

  it("leaves a conversation to whoever comes next when its environment has not gone on with it for 30 days", async () => {
    const day = 86_400_000;
    let days = 0;
    const clock: Clock = { ...systemClock, wall: () => systemClock.wall() + days * day };
    const other = "another-key-of-sixteen-characters";
    const keys = [`{ name: staging, value: ${other}, environment: staging }`];
    const { gateway } = await setScene(
      { a: answersResponse([{ text: "Hi" }], { more: { conversation: { id: "conv_1" } } }) },
      { ...both, keys, clock },
    );
    const mine = gateway.client();
    const strangers = gateway.client({ apiKey: other });
    const goOn = { ...question, conversation: "conv_1" };
    for (days of [0, 29, 58]) await mine.responses.create(goOn);
    days = 87;
    expect((await refusal(strangers.responses.create(goOn))).status).toBe(404);
    days = 89;
    await strangers.responses.create(goOn);
    expect((await refusal(mine.responses.create(goOn))).status).toBe(404);
  });

  it("keeps a conversation at the provider that answered in it first", async () => {
    const inConversation = answersResponse([{ text: "Hi" }], {
      id: "resp_b",
      more: { conversation: { id: "conv_1" } },
    });
    const { a, b, gateway } = await setScene(
      { a: answersError(400, "not_found", "No conversation conv_1"), b: inConversation },
      both,
    );
    const client = gateway.client();
    // Nobody knows yet where it is: the first in the route is asked, and nobody else.
    expect((await refusal(client.responses.create({ ...question, conversation: "conv_1" }))).status).toBe(400);
    expect(b.requests).toHaveLength(0);
    await client.responses.create({ ...question, model: "@b/model-x", conversation: "conv_1" });
    await client.responses.create({ ...question, conversation: { id: "conv_1" } });
    expect([a.requests.length, b.requests.length]).toEqual([1, 2]);
  });
});
