import type { ClientError, RoutingOverrides } from "@tuloy/contract";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { readChatRequest } from "../openai-chat/request.ts";
import { readEmbeddingsRequest } from "../openai-embeddings/request.ts";
import { isReadRequest, type ReadRequest } from "../request.ts";

const dialects = [
  ["chat", readChatRequest, { model: "m", messages: [] }],
  ["embeddings", readEmbeddingsRequest, { model: "m", input: "x" }],
] as const;

type Dialect = (typeof dialects)[number];
const [chat] = dialects;

function readIn([, read, usual]: Dialect, body: object): ReadRequest {
  const result = read(Buffer.from(JSON.stringify({ ...usual, ...body })));
  if (!isReadRequest(result)) throw new Error(result.message);
  return result;
}

const overridesOf = (body: object): RoutingOverrides | null => readIn(chat, body).facts.overrides;

function refuse(body: object): ClientError {
  const result = chat[1](Buffer.from(JSON.stringify({ ...chat[2], ...body })));
  if (isReadRequest(result)) throw new Error("was read");
  return result;
}

const unstated: RoutingOverrides = {
  order: null,
  only: null,
  ignore: null,
  allowFallbacks: true,
  sort: null,
  maxPrice: null,
  zdr: false,
  dataCollection: null,
  requireParameters: false,
  quantizations: null,
  models: [],
};

describe("what a body says of routing", () => {
  it("is nothing in a plain request, and where it is null", () => {
    expect(overridesOf({})).toBeNull();
    expect(overridesOf({ provider: null, models: null, fallbacks: null })).toBeNull();
    expect(overridesOf({ models: [], fallbacks: [] })).toBeNull();
  });

  it("is read from every field in OpenRouter's spelling", () => {
    const provider = {
      order: ["a", "b", "a"],
      only: ["b", "a"],
      ignore: ["c"],
      allow_fallbacks: true,
      sort: "latency",
      max_price: { prompt: 1, completion: "2.5", request: 0 },
      zdr: true,
      data_collection: "deny",
      require_parameters: true,
      quantizations: ["fp8", "bf16"],
    };
    expect(overridesOf({ provider, models: ["x", "y"] })).toEqual({
      order: ["a", "b"],
      only: ["b", "a"],
      ignore: ["c"],
      allowFallbacks: true,
      sort: "latency",
      maxPrice: { input: 1, output: 2.5, request: 0 },
      zdr: true,
      dataCollection: "deny",
      requireParameters: true,
      quantizations: ["fp8", "bf16"],
      models: ["x", "y"],
    });
  });

  it("has the documented defaults for what it leaves out", () => {
    expect(overridesOf({ provider: {} })).toEqual(unstated);
    expect(overridesOf({ provider: { order: null, sort: null, zdr: null } })).toEqual(unstated);
    expect(overridesOf({ provider: { order: [], ignore: [], max_price: {} } })).toEqual(unstated);
  });

  it.each([
    ["price", "price"],
    [{ by: "throughput" }, "throughput"],
    [{ by: "latency", partition: "model" }, "latency"],
    [{ by: null }, null],
  ])("sorts by %j", (sort, expected) => {
    expect(overridesOf({ provider: { sort } })?.sort).toBe(expected);
  });

  it("without fallbacks means nothing beyond the order, where one is given", () => {
    expect(overridesOf({ provider: { allow_fallbacks: false } })).toEqual({ ...unstated, allowFallbacks: false });
    expect(overridesOf({ provider: { allow_fallbacks: false, order: ["a", "b"] } })).toEqual({
      ...unstated,
      order: ["a", "b"],
      only: ["a", "b"],
    });
    expect(overridesOf({ provider: { allow_fallbacks: false, order: ["a", "b"], only: ["b", "c"] } })?.only).toEqual([
      "b",
    ]);
  });

  it("takes fallbacks for models, as names and as objects, once each and without the model itself", () => {
    expect(overridesOf({ fallbacks: ["x", { model: "y" }, "m", "x"] })?.models).toEqual(["x", "y"]);
    expect(overridesOf({ models: ["m", "x"], fallbacks: [{ model: "y" }, "x"] })?.models).toEqual(["x", "y"]);
    expect(overridesOf({ models: ["m"] })).toBeNull();
  });

  it.each([{ model: undefined }, { model: null }])("names the model first where the body does not: %j", (body) => {
    const request = readIn(chat, { ...body, models: ["first", "second"] });
    expect(request.model).toBe("first");
    expect(request.facts.overrides?.models).toEqual(["second"]);
    expect(JSON.parse(request.encode("first", { streamUsage: true }).toString())).toEqual({
      model: "first",
      messages: [],
    });
    expect(readIn(chat, { ...body, fallbacks: [{ model: "only" }] }).model).toBe("only");
  });

  it("names the session, by session_id before prompt_cache_key, in a bounded length", () => {
    const sessionOf = (body: object): string | null => readIn(chat, body).facts.session;
    expect(sessionOf({})).toBeNull();
    expect(sessionOf({ prompt_cache_key: "k" })).toBe("k");
    expect(sessionOf({ prompt_cache_key: "k", session_id: "s" })).toBe("s");
    expect(sessionOf({ session_id: "x".repeat(1000) })).toBe("x".repeat(256));
    expect(sessionOf({ session_id: 5, prompt_cache_key: "" })).toBeNull();
  });
});

describe("a wrong override", () => {
  const provider = (preferences: unknown): object => ({ provider: preferences });
  it.each([
    [provider("openai"), "provider", "must be an object, but it is a string"],
    [provider([]), "provider", "must be an object, but it is an array"],
    [provider({ onyl: ["a"] }), "provider", 'has "onyl", which is not known here: the nearest is only.'],
    [provider({ preferred_min_throughput: 50 }), "provider", "known are order, only, ignore, "],
    [provider({ __proto: 1, ["__proto__"]: 1 }), "provider", "which is not known here"],
    [provider({ order: "openai" }), "provider.order", "must be an array of providers, but it is a string"],
    [provider({ order: ["a", 5] }), "provider.order[1]", "must be a name, but it is 5"],
    [provider({ order: [""] }), "provider.order[0]", "is empty: write a name"],
    [provider({ only: [] }), "provider.only", "is empty, which allows nothing"],
    [provider({ ignore: Array(65).fill("a") }), "provider.ignore", "lists more than 64 providers"],
    [provider({ allow_fallbacks: "no" }), "provider.allow_fallbacks", "must be true or false, but it is a string"],
    [provider({ sort: "speed" }), "provider.sort", "must be one of price, latency, throughput, but it is"],
    [provider({ sort: { by: "speed" } }), "provider.sort.by", "must be one of price, latency, throughput"],
    [provider({ sort: { by: "price", partition: "none" } }), "provider.sort.partition", "must be one of model"],
    [provider({ max_price: 5 }), "provider.max_price", "must be an object, but it is a number"],
    [provider({ max_price: { prompt: -1 } }), "provider.max_price.prompt", "must be an amount of USD"],
    [provider({ max_price: { prompt: "free" } }), "provider.max_price.prompt", 'but it is "free"'],
    [provider({ max_price: { image: 1 } }), "provider.max_price", 'has "image", which is not known here'],
    [provider({ zdr: 1 }), "provider.zdr", "must be true or false, but it is a number"],
    [provider({ data_collection: "never" }), "provider.data_collection", "must be one of allow, deny"],
    [provider({ require_parameters: [] }), "provider.require_parameters", "must be true or false, but it is an array"],
    [provider({ quantizations: ["q4"] }), "provider.quantizations[0]", "must be one of int4, int8"],
    [{ models: "x" }, "models", "must be an array of models, but it is a string"],
    [{ models: ["x", null] }, "models[1]", "must be a name, but it is null"],
    [{ fallbacks: [{ model: "x", messages: [] }] }, "fallbacks[0]", 'has "messages", which is not known here'],
    [{ fallbacks: [{ "gpt-4": ["x"] }] }, "fallbacks[0]", "known are model"],
    [{ fallbacks: [{}] }, "fallbacks[0].model", "must be a name, but it is nothing"],
    [{ model: undefined, models: [] }, "model", 'The field "model" is missing'],
  ])("%j is refused, with its field and what to write", (body, param, words) => {
    const error = refuse(body);
    expect(error).toMatchObject({ code: "invalid_request", status: 400, param });
    expect(error.message).toContain(words);
  });

  it("quotes no more than a little of it", () => {
    expect(refuse(provider({ sort: "x".repeat(10_000) })).message.length).toBeLessThan(200);
    expect(refuse(provider({ ["x".repeat(10_000)]: 1 })).message.length).toBeLessThan(400);
  });
});

describe.each(dialects)("a provider of %s", (_operation, read, usual) => {
  it("gets nothing of it, and every other byte", () => {
    const forUs = { provider: { order: ["a"] }, models: ["x"], fallbacks: ["y"], session_id: "s" };
    const taken = new Set([...Object.keys(forUs), ...Object.keys(usual), "stream", "__proto__"]);
    const others = fc.array(
      fc.tuple(
        fc.string().filter((key) => !taken.has(key)),
        fc.jsonValue(),
      ),
    );
    const body = fc
      .tuple(fc.subarray(Object.entries(forUs)), others)
      .map(([given, more]) => [Object.entries<unknown>(usual), more, given].flat())
      .chain((members) => fc.shuffledSubarray(members, { minLength: members.length }));
    const textOf = (members: readonly (readonly [string, unknown])[]): string =>
      `{${members.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",")}}`;
    fc.assert(
      fc.property(body, (members) => {
        const request = read(Buffer.from(textOf(members)));
        if (!isReadRequest(request)) throw new Error(request.message);
        const left = members.filter(([key]) => !Object.hasOwn(forUs, key));
        const sent = (model: string): string => request.encode(model, { streamUsage: true }).toString();
        expect(sent("m")).toBe(textOf(left));
        expect(sent("other")).toBe(textOf(left.map(([key, value]) => [key, key === "model" ? "other" : value])));
      }),
    );
  });
});
