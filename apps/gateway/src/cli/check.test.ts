import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";

import type { Command } from "commander";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { checkCommand } from "./check.ts";
import type { CommandIo } from "./command-io.ts";
import { planCommand } from "./plan.ts";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tuloy-check-"));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(command: (io: CommandIo) => Command, ...words: string[]): Promise<Ran> {
  let [code, out, err] = [0, "", ""];
  const into = (take: (text: string) => void): Writable =>
    new Writable({ write: (chunk, _, done) => (take(String(chunk)), done()) });
  const io: CommandIo = {
    stdout: into((text) => (out += text)),
    stderr: into((text) => (err += text)),
    environment: { KEY: "sk-canary-0123456789" },
    directory,
    setExitCode: (given) => (code = given),
  };
  await command(io).parseAsync(words, { from: "user" });
  return { code, out, err };
}

const check = (...words: string[]): Promise<Ran> => run(checkCommand, ...words);
const plan = (...words: string[]): Promise<Ran> => run(planCommand, ...words);

function write(text: string, name = "tuloy.yaml"): void {
  writeFileSync(join(directory, name), text);
}

const twins = `providers:
  openai: { kind: openai, keys: [{ value: $\{KEY} }], models: { gpt-4.1: , text-embedding-3-small: } }
  rack: { kind: openai-compatible, base_url: http://10.0.0.5/v1, region: ph,
          models: { gpt-4.1: { id: house-big, context: 32768 }, llama: } }
routes:
  - { name: staging, match: { environments: [staging] }, providers: [rack] }
  - { name: vectors, match: { operation: embeddings } }
  - { name: default, providers: [rack, openai] }
`;

describe("tuloy check", () => {
  it("prints each route's plan for each of its models, in aligned columns", async () => {
    write(twins);
    const { code, out, err } = await check();
    expect([code, err]).toEqual([0, ""]);
    expect(out.split("\n").map((line) => line.replaceAll(/ {2,}/g, " | "))).toEqual([
      "tuloy.yaml is valid: 2 providers, 3 models, 3 routes",
      "",
      "route staging (strategy order, environment staging)",
      " | model | deployment | provider's id | price in / out | context | region",
      " | gpt-4.1 | 1 | rack/gpt-4.1@ph | house-big | price unknown | 32,768 | ph",
      " | text-embedding-3-small | – | no candidate: the route's providers do not include openai",
      " | llama | 1 | rack/llama@ph | llama | price unknown | unknown | ph",
      "",
      "route vectors (strategy order, embeddings)",
      " | model | deployment | provider's id | price in / out | context | region",
      " | text-embedding-3-small | 1 | openai/text-embedding-3-small | text-embedding-3-small | $0.02 / $0 per M | 8,192 | unknown",
      "",
      "route default (strategy order)",
      " | model | deployment | provider's id | price in / out | context | region",
      " | gpt-4.1 | 1 | rack/gpt-4.1@ph | house-big | price unknown | 32,768 | ph",
      " | 2 | openai/gpt-4.1 | gpt-4.1 | $2 / $8 per M | 1,047,576 | unknown",
      " | llama | 1 | rack/llama@ph | llama | price unknown | unknown | ph",
      "",
      "when a stream breaks after its first token",
      " | route | policy | meaning",
      " | staging, vectors, default | on_partial continue | another deployment completes it",
      "",
      " | provider | clients | continuation | meaning",
      " | openai | any | replay | answers again; completes it when it says the same",
      " | rack | any | unknown | exact or replay: a small request finds out before the first use",
      "",
    ]);
    const columns = out.split("\n").filter((line) => line.includes("/gpt-4.1"));
    expect(new Set(columns.slice(1).map((line) => line.search(/\S+\/gpt-4\.1/))).size).toBe(1);
  });

  it("says how each provider would complete a stream that broke elsewhere, and what each route does about it", async () => {
    write(`providers:
  rack: { kind: openai-compatible, base_url: http://10.0.0.5/v1, continuation: vllm, models: { llama: } }
routes:
  - { name: careful, match: { environments: [staging] }, failover: { on_partial: hold } }
`);
    const { out } = await check();
    expect(out).toContain("careful  on_partial hold      nothing is sent before the answer is whole");
    expect(out).toContain("rack      any      exact (vllm)  goes on from the break; else by a replay");
    const json: unknown = JSON.parse((await check("--json")).out);
    expect(json).toMatchObject({
      routes: [{ on_partial: "hold" }, { on_partial: "continue" }],
      completion: [{ provider: "rack", continuation: "vllm", quality: "exact" }],
    });
  });

  it("says it by the models where it depends on them", async () => {
    const provider = (name: string, models: string): string =>
      `  ${name}: { kind: anthropic-compatible, base_url: http://10.0.0.5/v1, models: { ${models} } }`;
    write(
      [
        "providers:",
        provider("older", "claude-sonnet-4-5:"),
        provider("newer", "claude-opus-5:"),
        provider("both", "claude-sonnet-4-5: , claude-opus-5:"),
        provider("others", "some-model:"),
      ].join("\n"),
    );
    expect(JSON.parse((await check("--json")).out)).toMatchObject({
      completion: [
        { provider: "older", continuation: "assistant-prefix", quality: "exact" },
        { provider: "newer", continuation: "none", quality: "replay" },
        { provider: "both", continuation: null, quality: "mixed" },
        { provider: "others", continuation: "none", quality: "replay" },
      ],
    });
  });

  it("says to which accounts no ids are forwarded, and for whom", async () => {
    const shared = `keys: [{ name: one, value: key-one-of-sixteen-characters, workspace: one }, { name: two, value: key-two-of-sixteen-characters, workspace: two }]
providers:
  a: { kind: openai-compatible, base_url: http://10.0.0.5/v1, models: { m: }, keys: [{ value: secret-a }] }
  b: { kind: openai-compatible, base_url: http://10.0.0.6/v1, models: { m: }, keys: [{ value: secret-b }], account_ids: forward }
`;
    write(shared);
    const { out } = await check();
    expect(out).toContain("ids of files and the like are not forwarded (account_ids)\n  to a for one, two\n");
    expect(JSON.parse((await check("--json")).out)).toMatchObject({
      ids_refused: [{ provider: "a", workspaces: ["one", "two"] }],
    });
    write(twins);
    expect((await check()).out).not.toContain("account_ids");
  });

  it("says it by the dialect in which the deployment would be asked", async () => {
    write(`providers:
  old: { kind: vllm, base_url: http://10.0.0.5/v1, models: { llama: { dialect: openai-chat } } }
  new: { kind: vllm, base_url: http://10.0.0.6/v1, models: { llama: } }
  claude: { kind: vllm, base_url: http://10.0.0.7/v1, models: { claude-sonnet-4-5: } }
`);
    const any = ["openai-chat", "openai-responses", "anthropic-messages"];
    expect(JSON.parse((await check("--json")).out)).toMatchObject({
      completion: [
        { provider: "old", clients: any, continuation: "vllm", quality: "exact" },
        { provider: "new", clients: ["openai-chat"], continuation: "vllm", quality: "exact" },
        // It has endpoints of its own for these, and none of them knows vLLM's way.
        {
          provider: "new",
          clients: ["openai-responses", "anthropic-messages"],
          continuation: "none",
          quality: "replay",
        },
        { provider: "claude", clients: ["openai-chat"], continuation: "vllm" },
        { provider: "claude", clients: ["openai-responses"], continuation: "none" },
        { provider: "claude", clients: ["anthropic-messages"], continuation: "assistant-prefix", quality: "exact" },
      ],
    });
    const lines = (await check()).out.split("\n").map((line) => line.replace(/ {2,}/g, " | "));
    expect(lines).toContain(" | new | openai-chat | exact (vllm) | goes on from the break; else by a replay");
  });

  it("prints the same as JSON, without a secret", async () => {
    write(twins);
    const { code, out } = await check("--json");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      valid: true,
      file: "tuloy.yaml",
      providers: ["openai", "rack"],
      routes: [
        { route: "staging", match: { environments: ["staging"] } },
        { route: "vectors", plans: [{ model: "text-embedding-3-small" }] },
        {
          route: "default",
          plans: [{ candidates: [{ deployment: "rack/gpt-4.1@ph" }, { price: { input: 2, cached_input: 0.5 } }] }, {}],
        },
      ],
    });
    expect(out).not.toContain("canary");
  });

  it("ends with 1 and all problems when the file is not valid", async () => {
    write("providers: { a: { kind: openai, keys: [{ value: ${MISSING} }] } }\nretries: 3\nserver: { port: x }\n");
    const { code, out, err } = await check();
    expect([code, out]).toEqual([1, ""]);
    expect(err.split("\n")).toEqual([
      "tuloy.yaml has 3 problems:",
      "  tuloy.yaml:1:49 providers.a.keys[0].value needs the environment variable MISSING, which is not set",
      "  tuloy.yaml:2:1 retries is not a known key; known here: server, data, keys, providers, models, routes",
      "  tuloy.yaml:3:17 server.port must be a number",
      "",
    ]);
    const asJson = await check("--json");
    expect(asJson.code).toBe(1);
    expect(JSON.parse(asJson.out)).toMatchObject({ valid: false, problems: [{ line: 1, column: 49 }, {}, {}] });
  });

  it("ends with 1 when the named file is missing, and shows what start would use when none is named", async () => {
    expect(await check("--config", "prod.yaml")).toEqual({ code: 1, out: "", err: "prod.yaml does not exist\n" });
    const { code, out } = await check();
    expect(code).toBe(0);
    expect(out).toContain("the built-in configuration is valid: 2 providers");
    expect(out).toContain("sandbox-b/sandbox-chat");
  });

  it("takes the file that is named", async () => {
    write("providers: { only: { kind: sandbox } }", "other.yaml");
    expect((await check("-c", "other.yaml")).out).toContain("other.yaml is valid: 1 provider, 3 models, 1 route\n");
  });
});

describe("tuloy plan", () => {
  beforeEach(() => {
    write(twins);
  });

  const ids = async (...words: string[]): Promise<unknown> => {
    const { out } = await plan("--json", ...words);
    const { route, candidates, exclusions } = JSON.parse(out) as {
      route: string;
      candidates: { deployment: string }[];
      exclusions: { deployment: string; reason: string }[];
    };
    return [
      route,
      candidates.map((candidate) => candidate.deployment),
      exclusions.map(({ deployment, reason }) => `${deployment}: ${reason}`),
    ];
  };

  it("prints candidates in order, and those excluded with the reason in words", async () => {
    const { code, out } = await plan("gpt-4.1", "--tokens", "50000");
    expect(code).toBe(0);
    expect(out.split("\n").map((line) => line.replaceAll(/ {2,}/g, " | "))).toEqual([
      "gpt-4.1 (chat) by route default",
      " | deployment | provider's id | price in / out | context | region",
      " | 1 | openai/gpt-4.1 | gpt-4.1 | $2 / $8 per M | 1,047,576 | unknown",
      "",
      " | excluded | reason | in words",
      " | rack/gpt-4.1@ph | context | the request needs about 50000 tokens, the window holds 32768",
      "",
    ]);
  });

  it("reads the model, the lock and the route as a request would", async () => {
    const both = ["rack/gpt-4.1@ph", "openai/gpt-4.1"];
    expect(await ids("openai/gpt-4.1")).toEqual(["default", both, []]);
    expect(await ids("@openai/gpt-4.1")).toEqual([
      "default",
      ["openai/gpt-4.1"],
      ["rack/gpt-4.1@ph: locked_elsewhere"],
    ]);
    expect(await ids("gpt-4.1", "--environment", "staging")).toEqual([
      "staging",
      ["rack/gpt-4.1@ph"],
      ["openai/gpt-4.1: not_in_route"],
    ]);
    expect(await ids("text-embedding-3-small", "--operation", "embeddings")).toEqual([
      "vectors",
      ["openai/text-embedding-3-small"],
      [],
    ]);
    expect(await ids("gpt-4.1", "--uses", "audio")).toEqual([
      "default",
      [],
      expect.arrayContaining(["openai/gpt-4.1: capability"]),
    ]);
  });

  it("prints what the strategy goes by", async () => {
    write(
      twins.replace(
        /routes:[^]*/,
        `routes:
  - { name: cheap, match: { header: { x-kind: batch } }, strategy: cost }
  - { name: split, match: { header: { x-kind: split } }, weights: { openai: 3, rack: 1 } }
  - { name: quick, strategy: latency }
`,
      ),
    );
    const rows = async (...words: string[]) =>
      (await plan("gpt-4.1", ...words)).out.split("\n").map((line) => line.replaceAll(/ {2,}/g, " | "));
    const cheap = await rows("--header", "X-Kind=batch", "--tokens", "3000", "--output", "1000");
    expect(cheap.slice(0, 4)).toEqual([
      "gpt-4.1 (chat) by route cheap, strategy cost",
      " | deployment | provider's id | price in / out | context | region | estimate",
      " | 1 | openai/gpt-4.1 | gpt-4.1 | $2 / $8 per M | 1,047,576 | unknown | $0.012",
      " | 2 | rack/gpt-4.1@ph | house-big | price unknown | 32,768 | ph | unknown",
    ]);
    const split = await rows("--header", "x-kind=split");
    expect(split[2]).toMatch(/openai\/gpt-4\.1 .* \| 75%$/);
    expect(split[3]).toMatch(/rack\/gpt-4\.1@ph .* \| 25%$/);
    expect((await rows())[2]).toMatch(/ \| unknown at rest$/);
    const { out } = await plan("gpt-4.1", "--header", "x-kind=split", "--json");
    expect(JSON.parse(out)).toMatchObject({ strategy: "weighted", candidates: [{ share: 0.75 }, { share: 0.25 }] });
    expect((await check()).out).toContain("route cheap (strategy cost, header x-kind: batch)");
  });

  it("prints the models that may stand in, with their closeness, and which caps stand against which", async () => {
    write(`providers:
  openai: { kind: openai, keys: [{ value: $\{KEY} }], models: { gpt-4.1: , gpt-4o: , gpt-4.1-nano: } }
routes:
  - { name: r, equivalents: nearest, failover: { max_cost_multiplier: 1.2 } }
`);
    const { out } = await plan("gpt-4.1", "--tokens", "2000", "--output", "1000");
    expect(out.split("\n").map((line) => line.replaceAll(/ {2,}/g, " | "))).toEqual([
      "gpt-4.1 (chat) by route r",
      " | deployment | provider's id | price in / out | context | region",
      " | 1 | openai/gpt-4.1 | gpt-4.1 | $2 / $8 per M | 1,047,576 | unknown",
      "",
      " | then, of other models | closeness | in words",
      " | openai/gpt-4.1-nano | 0.825 | does all that gpt-4.1 does; tier 2 for 4; as large a window; costs no more",
      "",
      " | excluded | reason | in words",
      " | openai/gpt-4o | price_cap | it costs 1.25 × the primary openai/gpt-4.1 for this request, above 1.2 ×",
      "",
    ]);
    expect(JSON.parse((await plan("gpt-4.1", "--json")).out)).toMatchObject({
      equivalents: [{ deployment: "openai/gpt-4.1-nano", score: 0.825 }],
    });
    expect((await check()).out).toContain("equivalent, closeness 0.825");
  });

  it.each([
    [["gtp-4.1"], "No provider here serves the model gtp-4.1. Nearest: gpt-4.1."],
    [["gpt-4.1", "--operation", "embeddings"], "gpt-4.1 is for chat, not for embeddings."],
    [["gpt-4.1", "--route", "nope"], "There is no route nope. There are: staging, vectors, default."],
    [["gpt-4.1", "--route", "staging"], "The route staging does not apply to this request."],
  ])("says why there is no plan for %j, and ends with 1", async (words, message) => {
    expect(await plan(...words)).toEqual({ code: 1, out: "", err: `${message}\n` });
    expect(JSON.parse((await plan("--json", ...words)).out)).toEqual({ error: message });
  });

  it("says that a request would be refused when nothing is left", async () => {
    const { out } = await plan("llama", "--uses", "tools", "--tokens", "5");
    expect(out).toContain("1  rack/llama@ph");
    expect((await plan("@rack/gpt-4.1", "--tokens", "40000")).out).toContain("no candidate is left");
  });
});

describe("a provider whose kind is not yet verified", () => {
  it("is named by tuloy check, in words and in JSON, and one that is verified is not", async () => {
    write("providers:\n  z: { kind: zai, keys: [{ value: k }] }\n  g: { kind: groq, keys: [{ value: l }] }\n");
    const { out } = await check();
    expect(out).toContain("z: what is known of kind zai is not yet verified; tuloy providers kinds zai shows it");
    expect(out).not.toContain("kind groq");
    expect(JSON.parse((await check("--json")).out)).toMatchObject({ unverified: [{ provider: "z", kind: "zai" }] });
  });
});

describe("a region that its location is not called by", () => {
  const vertex = (more: string): string =>
    `providers:\n  v:\n    kind: vertex\n    project: my-project\n    ${more}\n    keys: [{ value: ambient }]\n`;
  const warning =
    "providers.v.region is uk, but location europe-west2 computes in gb-west2: routes go by uk; leave it out to go by gb-west2";

  it("is a warning with both names, file and line, since a file may have its own words", async () => {
    write(vertex("location: europe-west2\n    region: uk"));
    const text = await check();
    expect([text.code, text.out.split("\n")[1]]).toEqual([0, `warning: tuloy.yaml:6:13 ${warning}`]);
    expect(JSON.parse((await check("--json")).out)).toMatchObject({
      valid: true,
      warnings: [{ file: "tuloy.yaml", line: 6, path: "providers.v.region" }],
    });
  });

  it("is one too where the address is the file's own, whatever the location", async () => {
    write(vertex("location: us-central1\n    region: eu\n    base_url: https://proxy.example.eu/{project}/{location}"));
    const { code, out } = await check();
    expect([code, out]).toEqual([0, expect.stringContaining("region is eu, but location us-central1")]);
  });

  it.each([
    "location: europe-west4\n    region: eu",
    "location: europe-west4\n    region: EU-west4",
    "location: mars-north1\n    region: eu",
    "location: eu",
  ])("is none where nothing contradicts: %j", async (place) => {
    write(vertex(place));
    const { code, out } = await check();
    expect([code, out]).toEqual([0, expect.not.stringContaining("warning")]);
  });
});
