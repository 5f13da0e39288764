import { providerKinds } from "@tuloy/contract";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { formatProblem, loadConfig } from "./read.ts";
import type { LoadedConfig } from "./read.ts";

type Environment = Readonly<Record<string, string>>;

function load(text: string, environment: Environment = {}): LoadedConfig {
  return loadConfig(text, "tuloy.yaml", environment);
}

function problems(text: string, environment: Environment = {}): string[] {
  const loaded = load(text, environment);
  return loaded.ok ? [] : loaded.problems.map(formatProblem);
}

const sandbox = "providers: { sandbox: { kind: sandbox } }\n";

const kinds = `${providerKinds.slice(0, -1).join(", ")} or ${providerKinds.at(-1)}`;

describe("reading tuloy.yaml", () => {
  it("takes the smallest useful file", () => {
    expect(load(sandbox)).toMatchObject({ ok: true, config: { providers: { sandbox: { kind: "sandbox" } } } });
  });

  it("names line, column and the nearest key of an unknown one", () => {
    const text = `${sandbox}routes:\n  - name: main\n    failover:\n      stal: 30s\n`;
    expect(problems(text)).toEqual(["tuloy.yaml:5:7 routes[0].failover.stal is not a known key; did you mean stall?"]);
  });

  it("lists the known keys when none is near", () => {
    expect(problems(`${sandbox}data: { postgres: x }`)).toEqual([
      "tuloy.yaml:2:9 data.postgres is not a known key; known here: dir",
    ]);
  });

  it("points at the value when that is wrong, and at the key's holder when a key is missing", () => {
    const text = "providers:\n  one:\n    kind: opnai\n  two:\n    region: eu\n";
    expect(problems(text)).toEqual([
      `tuloy.yaml:3:11 providers.one.kind must be ${kinds}; did you mean openai?`,
      `tuloy.yaml:4:3 providers.two.kind is missing; write ${kinds}`,
    ]);
  });

  it("reports all problems, in the file's order", () => {
    const text = `routes:\n  - nam: x\n${sandbox}server: { prt: 1, port: x }\n`;
    expect(problems(text).map((line) => line.split(" ", 2).join(" "))).toEqual([
      "tuloy.yaml:2:5 routes[0].name",
      "tuloy.yaml:2:5 routes[0].nam",
      "tuloy.yaml:4:11 server.prt",
      "tuloy.yaml:4:25 server.port",
    ]);
  });

  it("says which key is there twice and where the first is", () => {
    expect(problems("providers:\n  a: { kind: sandbox }\n  a: { kind: sandbox }\n")).toEqual([
      "tuloy.yaml:3:3 providers.a is there twice; the first is in line 2",
    ]);
  });

  it.each(["", "# nothing\n", "---\n", "{}", "server: {}"])("says of %j that it names no provider", (text) => {
    expect(problems(text)).toEqual([expect.stringContaining("providers names no provider")]);
  });

  it.each(["- a", "just text", "7"])("says of %j that it must be a group of keys", (text) => {
    expect(problems(text)).toEqual(["tuloy.yaml:1:1 the file must be a group of keys"]);
  });

  it("finds every syntax error with its place, without quoting the text", () => {
    const found = problems('keys: [{ value: "secret-canary }]\n\tx: *\n');
    expect(found.length).toBeGreaterThan(0);
    expect(found.join("\n")).not.toContain("canary");
    expect(found[0]).toMatch(/^tuloy\.yaml:\d+:\d+ the file is not valid YAML/);
  });

  it("refuses __proto__ as a name", () => {
    expect(problems("providers: { __proto__: { kind: sandbox } }")).toContain(
      "tuloy.yaml:1:14 providers.__proto__ is not usable as a name",
    );
  });

  it("keeps a model's name that looks like a number as it is written", () => {
    const text = "providers: { a: { kind: sandbox, models: { 4.10: } } }";
    expect(load(text)).toMatchObject({ ok: true, config: { providers: { a: { models: { "4.10": null } } } } });
  });

  it("follows anchors and refuses those that bite their own tail", () => {
    expect(load("providers: { a: &a { kind: sandbox }, b: *a }").ok).toBe(true);
    expect(problems("providers: &a { b: *a }").join()).toContain("too deep");
    const bomb = ["a: &a [1,1,1,1,1,1,1,1,1]"];
    for (const name of ["b", "c", "d", "e", "f", "g"]) {
      const before = String.fromCodePoint((name.codePointAt(0) ?? 0) - 1);
      bomb.push(`${name}: &${name} [${Array.from({ length: 9 }, () => `*${before}`).join(",")}]`);
    }
    expect(problems(bomb.join("\n")).join()).toContain("too large");
  });
});

describe("variables", () => {
  const key = "sk-0123456789abcdef";
  const keyFile = (value: string): string => `${sandbox}keys: [{ name: app, value: ${value} }]\n`;
  const value = (loaded: LoadedConfig): unknown => (loaded.ok ? loaded.config.keys[0]?.value : loaded.problems);

  it.each(["${KEY}", '"${KEY}"', "'${KEY}'"])("are filled in where %s is written", (written) => {
    expect(value(load(keyFile(written), { KEY: key }))).toBe(key);
  });

  it("are filled in within longer text, also outside braces", () => {
    const text =
      "providers:\n  a:\n    kind: openai-compatible\n    base_url: http://${HOST}:8000/${PATH_OF}\n    models: { m: }\n";
    expect(load(text, { HOST: "gpu", PATH_OF: "v1" })).toMatchObject({
      ok: true,
      config: { providers: { a: { base_url: "http://gpu:8000/v1" } } },
    });
  });

  it("are numbers where a number is wanted and text where text is wanted", () => {
    const text = "server: { port: ${PORT} }\nproviders: { a: { kind: sandbox, keys: [{ value: ${DIGITS} }] } }";
    expect(load(text, { PORT: "9000", DIGITS: "0042" })).toMatchObject({
      ok: true,
      config: { server: { port: 9000 }, providers: { a: { keys: [{ value: "0042" }] } } },
    });
  });

  it("that are missing are all named, once each, at their places", () => {
    const text =
      "server: { port: ${PORT} }\nproviders: { a: { kind: openai, keys: [{ value: ${A} }, { value: ${A} }] } }";
    expect(problems(text)).toEqual([
      "tuloy.yaml:1:17 server.port needs the environment variable PORT, which is not set",
      "tuloy.yaml:2:49 providers.a.keys[0].value needs the environment variable A, which is not set",
      "tuloy.yaml:2:66 providers.a.keys[1].value needs the environment variable A, which is not set",
    ]);
  });

  it("are named when what they hold is wrong", () => {
    expect(problems(keyFile("${KEY}"), { KEY: "" })).toEqual([
      expect.stringContaining("keys[0].value is shorter than 16 characters"),
    ]);
    expect(problems(keyFile("${KEY}"), { KEY: "" })[0]).toContain("it comes from ${KEY}");
  });

  it("are left alone behind a second dollar sign", () => {
    expect(value(load(keyFile("$${KEY}-0123456789")))).toBe("${KEY}-0123456789");
    expect(value(load(keyFile("'$${${KEY}-0123456789ab'"), { KEY: "x" }))).toBe("${x-0123456789ab");
  });

  it.each(["${}", "${A-b}", "${A:-b}", '"${A"'])("refuses %s, which is no variable", (written) => {
    expect(problems(keyFile(written))).toEqual([
      expect.stringContaining("keys[0].value holds a ${ that begins no variable"),
    ]);
  });

  it("do not reach what every object inherits", () => {
    expect(problems(keyFile("${constructor}"))[0]).toContain("constructor, which is not set");
  });

  it("are not looked into, so that what they hold cannot read others or add keys", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 16, unit: "binary-ascii" }), (held) => {
        const environment = { KEY: held, OTHER: "never-to-be-seen-0123" };
        const loaded = load(keyFile("${KEY}"), environment);
        const seen = loaded.ok
          ? loaded.config.keys.map((key) => [key.name, key.value])
          : loaded.problems.map((problem) => problem.path);
        expect(seen).toEqual(/^[!-~]{16,}$/.test(held) ? [["app", held]] : ["keys[0].value"]);
      }),
      { examples: [["${OTHER}-${OTHER}-"], ["x }, { name: b, value: "]] },
    );
  });
});

describe("any text at all", () => {
  const token = fc.constantFrom(
    "providers", "keys", "routes", "models", "kind", "sandbox", "openai", "name", "value", "failover", "breaker", "__proto__",
    "constructor", ": ", ":", "\n", "\n  ", "\n    ", "- ", "{ ", " }", "[", "]", ", ", "${", "}", "$${X}", "${KEY}", "&a ", "*a", "!!set ",
    "? ", "| ", "> ", "'", '"', "\t", "#", "---\n", "%YAML 1.1\n", "null", "1", "1e999", "-.inf", "10s", "~", "<<", "\u0000", "\uFEFF", "\uE0F1\uE0F2",
  ); // prettier-ignore

  it("gives a configuration or at least one problem with a place, and never throws", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.array(token, { maxLength: 60 }).map((tokens) => tokens.join("")),
        ),
        (text) => {
          const loaded = load(text, { KEY: "0123456789abcdef" });
          const told = loaded.ok
            ? ["a configuration"]
            : loaded.problems.filter(({ line, column, message }) => line >= 1 && column >= 1 && message !== "");
          expect(told).toHaveLength(loaded.ok ? 1 : Math.max(1, loaded.problems.length));
        },
      ),
      { numRuns: 150 },
    );
  });

  it.each(["[", "{a: ", "- ", "? "])("survives %j ten thousand times", (part) => {
    expect(problems(part.repeat(10_000)).length).toBeGreaterThan(0);
  });

  it("never shows a secret, wherever it was put", () => {
    const canary = "sk-canary-0123456789";
    const files = [
      "keys: [{ name: ${K}, value: ${K}, workspace: '${K} ', environment: ${K} }]",
      "server: { host: ${K}, port: ${K} }",
      "providers: { a: { kind: ${K}, base_url: ${K}, region: '${K}!', visibility: ${K}, keys: [{ value: '${K} x' }] } }",
      "providers: { a: { kind: openai, base_url: 'https://user:${K}@example.com', keys: [{ value: ${K} }, { value: ${K} }] } }",
      `providers: { a: { kind: openai, base_url: "ftp://x:${canary}@h", keys: [{ value: "${canary} x" }, ${canary}] } }`,
      `keys: [{ name: a, value: "${canary}" }, { name: b, value: "${canary}" }]\n${sandbox}`,
      `keys: ${canary}: x\nvalue: @${canary}`,
      "routes: [{ name: '${K}/', providers: [${K}], strategy: ${K}, match: { models: ['${K} '] }, failover: { stall: ${K} } }]",
    ];
    for (const text of files) {
      const found = problems(text, { K: canary });
      expect(found.length).toBeGreaterThan(0);
      expect(found.join("\n")).not.toContain("canary");
    }
  });
});
