import { providerKinds } from "@tuloy/contract";
import { presetKinds } from "@tuloy/dialects";
import { describe, expect, it } from "vitest";

import { formatProblem, loadConfig } from "./read.ts";

const file = "f";

function problems(text: string): string[] {
  const loaded = loadConfig(text, file, {});
  return loaded.ok ? [] : loaded.problems.map((problem) => formatProblem(problem).replace(/^f:\d+:\d+ /, ""));
}

const key = "keys: [{ value: k1 }]";
const twoSandboxes = "providers: { a: { kind: sandbox }, b: { kind: sandbox } }\n";

describe("a configuration is refused", () => {
  it.each([
    [
      "when two callers' keys have one name",
      `${twoSandboxes}keys: [{ name: x, value: 0123456789abcdef }, { name: x, value: 1123456789abcdef }]`,
      "keys[1].name is also the name of keys[0]",
    ],
    [
      "when two callers share a key",
      `${twoSandboxes}keys: [{ name: x, value: a123456789abcdef }, { name: y, value: a123456789abcdef }]`,
      "keys[1].value is the same as that of keys[0]: who is asking could not be told",
    ],
    [
      "when two provider keys have one name, written or not",
      "providers: { a: { kind: openai, keys: [{ name: key-2, value: k1 }, { value: k2 }] } }",
      "providers.a.keys[1].name is also the name of keys[0]",
    ],
    [
      "when a provider's key is there twice",
      "providers: { a: { kind: openai, keys: [{ value: k1 }, { value: k1 }] } }",
      "providers.a.keys[1].value is the same as that of keys[0]",
    ],
    [
      "when a kind that needs a key has none",
      "providers: { a: { kind: openai } }",
      "providers.a.keys is missing: this kind needs a key; write keys: [{ value: ${NAME} }]",
    ],
    [
      "when an address holds a place that the file does not name",
      `providers: { a: { kind: vertex, project: my-project, keys: [{ value: ambient }] } }`,
      "providers.a.location is missing: the address of kind: vertex holds {location}; write location: europe-west4",
    ],
    [
      "when the file names a place that the address has not",
      `providers: { a: { kind: openai, ${key}, project: my-project } }`,
      "providers.a.project is not used: the address of kind: openai holds no {project}; leave it out",
    ],
    ...(
      [
        ["vertex", "eu", "us-central1", "us-central1", "project: my-project, keys: [{ value: ambient }]"],
        ["vertex", "eu", "europe-west2", "gb-west2", "project: my-project, keys: [{ value: ambient }]"],
        ["vertex", "eu-west4", "eu", "eu", "project: my-project, keys: [{ value: ambient }]"],
        ["vertex", "eu", "global", "global", "project: my-project, keys: [{ value: ambient }]"],
        ["bedrock", "eu", "us-east-1", "us-east-1", "keys: [{ value: ambient }]"],
      ] as const
    ).map(([kind, region, location, actual, more]): [string, string, string] => [
      `when ${location} of kind: ${kind} is said to be in ${region}`,
      `providers: { a: { kind: ${kind}, region: ${region}, location: ${location}, ${more} } }`,
      `providers.a.region is ${region}, but location ${location} computes in ${actual}: a route pinned to ${region} would leave it; ` +
        `leave region out, or write a location in ${region}`,
    ]),
    [
      "when an id is none of its kind's",
      `providers: { a: { kind: vertex, project: my-project, location: eu, keys: [{ value: ambient }], models: { m: } } }`,
      "providers.a.models.m has the id m, but those of kind: vertex begin with claude- or gemini-; write its own id",
    ],
    [
      "when an address holds a place that nobody knows",
      `providers: { a: { kind: openai, ${key}, base_url: "https://x.example/{region}/v1" } }`,
      "providers.a.base_url holds {region}, which stands for nothing; only {project} and {location} do",
    ],
    [
      "when a key for a header could not be in one",
      `providers: { a: { kind: openai, keys: [{ value: '{ "type": 1 }' }] } }`,
      "providers.a.keys[0].value holds a space, a line break or a character that no HTTP header can carry",
    ],
    [
      "when a key file is cut off",
      `providers: { a: { kind: vertex, project: my-project, location: eu, keys: [{ value: '{"type":"service_account","client_email":"a@b"}' }] } }`,
      "providers.a.keys[0].value is no whole service account's key file: private_key is missing",
    ],
    [
      "when a key file was pasted without its end",
      `providers: { a: { kind: vertex, project: my-project, location: eu, keys: [{ value: '{ "type": "service_account",' }] } }`,
      "providers.a.keys[0].value is no valid JSON",
    ],
    [
      "when nothing could be signed with a key file",
      `providers: { a: { kind: vertex, project: my-project, location: eu, keys: [{ value: '{"type":"service_account","client_email":"a@b","private_key":"not PEM"}' }] } }`,
      "providers.a.keys[0].value holds a private_key that is no RSA key in PEM: give the file as Google made it, with its line breaks as \\n",
    ],
    [
      "when a key file is of another kind",
      `providers: { a: { kind: vertex, project: my-project, location: eu, keys: [{ value: '{"type":"authorized_user"}' }] } }`,
      "providers.a.keys[0].value is no service account's key file: its type has to be service_account; other credentials go by ambient",
    ],
    [
      "when nobody knows for which location a call is to be signed",
      "providers: { a: { kind: bedrock, keys: [{ value: ambient }], models: { m: } } }",
      "providers.a.location is missing: what kind: bedrock signs holds {location}; write location: eu-west-1",
    ],
    [
      "when half of a credential of AWS is there",
      "providers: { a: { kind: bedrock, location: eu-west-1, keys: [{ value: AKIAIOSFODNN7EXAMPLE }], models: { m: } } }",
      "providers.a.keys[0].value is an access key without its secret; write ACCESS_KEY_ID:SECRET",
    ],
    [
      "when nobody knows where a server is",
      "providers: { a: { kind: openai-compatible, models: { m: } } }",
      "providers.a.base_url is missing: write where its API is, for example http://10.0.0.5:8000/v1",
    ],
    [
      "when nobody knows what a server serves",
      "providers: { a: { kind: openai-compatible, base_url: https://x.example/v1 } }",
      "providers.a.models is missing: what such a server serves cannot be known; write models: { its-model: }",
    ],
    [
      "when the kind has the model under ids for other parts of the world only",
      "providers: { a: { kind: bedrock, location: eu-west-1, keys: [{ value: ambient }], models: { llama-4-scout: } } }",
      "providers.a.models.llama-4-scout is known at kind: bedrock under us.meta.llama4-scout-17b-instruct-v1:0, for other places than this provider's; write the id that it has here",
    ],
    [
      "when a provider serves nothing",
      `providers: { a: { kind: openai, ${key}, models: {} } }`,
      "providers.a.models is empty, so this provider serves nothing; name a model",
    ],
    [
      "when a base_url is not http",
      `providers: { a: { kind: openai, ${key}, base_url: "ftp://x.example" } }`,
      "providers.a.base_url must be an address that begins with http:// or https://",
    ],
    [
      "when a base_url is no address",
      `providers: { a: { kind: openai, ${key}, base_url: api.example.com } }`,
      "providers.a.base_url must be an address that begins with http:// or https://",
    ],
    [
      "when a base_url holds a credential",
      `providers: { a: { kind: openai, ${key}, base_url: "https://me:secret@x.example" } }`,
      "providers.a.base_url must not hold a user name or password: a credential belongs in keys",
    ],
    [
      "when a base_url holds a query",
      `providers: { a: { kind: openai, ${key}, base_url: "https://x.example/v1?a=b" } }`,
      "providers.a.base_url must not hold a ? or a #: paths are appended to it",
    ],
    [
      "when an address inside is called public",
      `providers: { a: { kind: openai, ${key}, base_url: "http://10.0.0.5/v1", visibility: public } }`,
      "providers.a.visibility is public, but base_url is inside your network; write private, or leave it out",
    ],
    [
      "when a sandbox is given an address",
      "providers: { a: { kind: sandbox, base_url: http://x.example } }",
      "providers.a.base_url is not for kind: sandbox, which runs inside Tuloy",
    ],
    [
      "when a real provider is given a sandbox's pace",
      `providers: { a: { kind: openai, ${key}, sandbox: { tokens_per_second: 5 } } }`,
      "providers.a.sandbox is only for kind: sandbox",
    ],
    [
      "when one model has two operations",
      "providers: { a: { kind: sandbox, models: { m: } }, b: { kind: sandbox, models: { m: { operation: embeddings } } } }",
      "providers.b.models.m is for embeddings here and for chat at a; a model has one operation",
    ],
    [
      "when vectors of one model could not be compared",
      "models: { v: { operation: embeddings } }\n" +
        "providers: { a: { kind: sandbox, models: { v: { dimensions: 256 } } }, b: { kind: sandbox, models: { v: { dimensions: 512 } } } }",
      "providers.b.models.v has 512 dimensions here and 256 at a: vectors of the two could not be compared; give it another name",
    ],
    [
      "when an entry disagrees with what a kind serves by itself after it",
      "providers: { a: { kind: sandbox, models: { sandbox-embedding: { dimensions: 8 } } }, b: { kind: sandbox } }",
      "providers.a.models.sandbox-embedding has 256 dimensions here and 8 at a: vectors of the two could not be compared; give it another name",
    ],
    [
      "when an embedding model is served under another's id",
      `providers: { a: { kind: openai, ${key}, models: { text-embedding-3-large: { id: text-embedding-3-small } } } }`,
      "providers.a.models.text-embedding-3-large is served under the id of text-embedding-3-small, which is another model",
    ],
    [
      "when a provider's model is there under two names",
      `providers: { a: { kind: openai, ${key}, models: { gpt-4.1: , openai/gpt-4.1: } } }`,
      'providers.a.models["openai/gpt-4.1"] is the same model as gpt-4.1',
    ],
    [
      "when two routes have one name",
      `${twoSandboxes}routes: [{ name: r, match: { operation: chat } }, { name: r }]`,
      "routes[1].name is also the name of routes[0]",
    ],
    [
      "when a route names a provider that is not there",
      `${twoSandboxes}routes: [{ name: r, providers: [a, bb] }]`,
      "routes[0].providers[1] names no provider of this file; did you mean b?",
    ],
    [
      "when a route lists a provider twice",
      `${twoSandboxes}routes: [{ name: r, providers: [a, b, a] }]`,
      "routes[0].providers[2] is listed before, as providers[0]",
    ],
    [
      "when the default route is not for everything",
      `${twoSandboxes}routes: [{ name: default, match: { operation: chat } }]`,
      "routes[0].match must be empty: the route named default is for what no other matches",
    ],
    [
      "when a weight is of nobody",
      `${twoSandboxes}routes: [{ name: r, weights: { a: 1, c: 1 } }]`,
      "routes[0].weights.c names no provider of this file; did you mean a?",
    ],
    [
      "when a weight is of a provider that the route leaves out",
      `${twoSandboxes}routes: [{ name: r, providers: [a], weights: { b: 1 } }]`,
      "routes[0].weights.b names a provider that the route's providers leave out; did you mean a?",
    ],
    [
      "when weights come to nothing",
      `${twoSandboxes}routes: [{ name: r, weights: { a: 0 } }]`,
      "routes[0].weights gives no provider a share; give at least one a number above 0",
    ],
    [
      "when nobody says where they are, and a route is pinned",
      `${twoSandboxes}routes: [{ name: r, regions: [eu] }]`,
      "routes[0].regions[0] has no provider: none of this route names its region; write region: at those that compute there",
    ],
    [
      "when nobody is in a pinned region",
      "providers: { a: { kind: sandbox, region: eu-west-1 }, b: { kind: sandbox, region: us } }\n" +
        "routes: [{ name: r, regions: [eu, us], providers: [a] }]",
      "routes[0].regions[1] has no provider of this route: they are in eu-west-1",
    ],
    [
      "when a route is chosen by a credential",
      `${twoSandboxes}routes: [{ name: r, match: { header: { X-Api-Key: k } } }]`,
      "routes[0].match.header.X-Api-Key is a credential: choose by workspace or environment",
    ],
    [
      "when nobody serves an equivalent",
      `${twoSandboxes}models: { sandbox-chat: { equivalents: [gpt-9] } }`,
      "models.sandbox-chat.equivalents[0] is served by no provider of this file",
    ],
    [
      "when an equivalent is the model itself",
      `${twoSandboxes}models: { sandbox-chat: { equivalents: [tuloy/sandbox-chat] } }`,
      "models.sandbox-chat.equivalents[0] is the model itself",
    ],
    [
      "when an equivalent is there twice",
      `${twoSandboxes}models: { sandbox-chat: { equivalents: [sandbox-reasoner, sandbox-reasoner] } }`,
      "models.sandbox-chat.equivalents[1] is listed before",
    ],
    [
      "when an equivalent makes vectors",
      `${twoSandboxes}models: { sandbox-chat: { equivalents: [sandbox-embedding] } }`,
      "models.sandbox-chat.equivalents[0] is for embeddings, which have no equivalents: vectors of two models cannot be compared",
    ],
    [
      "when a route can never be reached",
      `${twoSandboxes}routes: [{ name: all }, { name: r, match: { operation: chat } }]`,
      "routes[1] is never reached: all before it matches everything, and the first match wins",
    ],
    [
      "when a breaker would open for longer than its longest",
      `${twoSandboxes}routes: [{ name: r, failover: { breaker: { open: 30s } } }]`,
      "routes[0].failover.breaker would be open for 30 s at first, longer than open_max of 20 s",
    ],
    [
      "when a hedge would begin after the deadline",
      `${twoSandboxes}routes: [{ name: r, failover: { hedge: 10m } }]`,
      "routes[0].failover.hedge is 10 m, longer than the deadline of 9 m 30 s",
    ],
    [
      "when a limit is longer than the deadline, also one of the preset",
      `${twoSandboxes}routes: [{ name: r, failover: { deadline: 7s } }]`,
      "routes[0].failover.first_token is 10 s, longer than the deadline of 7 s",
    ],
  ])("%s", (_, text, problem) => {
    expect(problems(text)).toEqual([problem]);
  });

  it("with all of its problems at once", () => {
    const text =
      "providers: { a: { kind: openai }, b: { kind: openai-compatible } }\nroutes: [{ name: r, providers: [c] }]";
    expect(problems(text)).toHaveLength(4);
  });
});

describe("a configuration is taken", () => {
  it("when the id is written that the catalog does not know for a place", () => {
    const models = "models: { llama-4-scout: { id: eu.meta.llama4-scout-17b-instruct-v1:0 } }";
    expect(
      problems(`providers: { a: { kind: bedrock, location: eu-west-1, keys: [{ value: ambient }], ${models} } }`),
    ).toEqual([]);
  });

  it("when one model is at several providers under their own ids", () => {
    const text = `providers:
  openai: { kind: openai, ${key} }
  rack: { kind: openai-compatible, base_url: "http://gpu.internal/v1", visibility: private, models: { gpt-4.1: { id: house } } }`;
    expect(problems(text)).toEqual([]);
  });

  it("when a snapshot's id is put under the name that moves, since they are for the same", () => {
    const text = `providers: { a: { kind: openai, ${key}, models: { gpt-4o: { id: gpt-4o-2024-11-20 } } } }`;
    expect(problems(text)).toEqual([]);
  });
});

it("has a preset for every kind of the schema, and a kind for every preset", () => {
  expect(new Set(presetKinds)).toEqual(new Set(providerKinds));
});
