import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { builtInCatalog, isTwin } from "@tuloy/catalog";
import { presetKinds } from "@tuloy/dialects";
import { answersChat, answersError, startUpstream } from "@tuloy/testkit";
import { createLog, launch, systemClock } from "tuloy";
import { expect, onTestFinished, test } from "vitest";

import { scratchDirectory } from "../command.ts";
import { blocks, page } from "./markdown.ts";

const address = "http://127.0.0.1:8787";
const key = "key-of-the-application-in-the-readme";

const readme = blocks(page("README.md"));
const http = blocks(page("docs/http.md"));

/** @param mention what tells it from others of its language */
function only(language: string, mention = "", all = readme): string {
  const [block, ...more] = all.filter((found) => found.language === language && found.text.includes(mention));
  if (block === undefined || more.length > 0)
    throw new Error(`there are ${more.length + (block ? 1 : 0)} blocks of ${language} with ${mention}`);
  return block.text;
}

/** @throws when there is nothing to replace: the README has changed, and this test with it */
function replaceIn(text: string, part: string, by: string): string {
  if (!text.includes(part)) throw new Error(`${part} is no longer in the README`);
  return text.replaceAll(part, by);
}

const openaiProgram = (): string => only("js", 'from "openai"');

test.each([
  ["OpenAI's", openaiProgram],
  ["Anthropic's", () => only("js", 'from "@anthropic-ai/sdk"', http)],
])(
  "the README's configuration and the JavaScript with %s SDK work together, and the model's twin answers when its first provider fails",
  async (_whose, written) => {
    const openai = await startUpstream(answersError(503, null, "overloaded"));
    const azure = await startUpstream(answersChat("Hello from Azure!"));
    onTestFinished(async () => void (await Promise.all([openai.close(), azure.close()])));
    // Nothing of a test leaves this machine.
    const local = replaceIn(only("yaml"), "kind: openai,", `kind: openai, base_url: ${openai.url}/v1,`);
    const directory = scratchDirectory();
    const gateway = await launch({
      source: {
        kind: "defaults",
        name: "README.md",
        text: replaceIn(local, "https://acme.openai.azure.com", azure.url),
      },
      environment: { TULOY_KEY: key, OPENAI_API_KEY: "sk-of-the-readme", AZURE_API_KEY: "azure-key-of-the-readme" },
      directory,
      overrides: { port: 0, dataDir: directory },
      clock: systemClock,
      random: Math.random,
      log: createLog({ stdout: process.stdout, environment: {} }, "silent"),
    });
    onTestFinished(() => gateway.close(0));

    const program = replaceIn(written(), address, gateway.url);
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program], {
      // Here, so that the SDK is found.
      cwd: fileURLToPath(new URL(".", import.meta.url)),
      env: { PATH: process.env["PATH"], TULOY_KEY: key },
      timeout: 10_000,
    });

    expect(stdout).toBe("Hello from Azure!\n");
    expect(openai.requests).toHaveLength(1);
    expect(openai.requests[0]?.json()).toMatchObject({ model: "gpt-4.1-mini" });
    expect(azure.requests.map((request) => request.json())).toMatchObject([{ model: "gpt-4.1-mini" }]);
  },
);

test("the README's Python asks the same as its JavaScript", () => {
  /** The texts of a program, without keys of objects and what each language calls its imports and variables. */
  const said = (program: string): (string | undefined)[] =>
    [...program.matchAll(/"([^"]*)"(:?)/g)]
      .filter(([, text = "", colon]) => colon === "" && text !== "openai" && text !== "TULOY_KEY")
      .map(([, text]) => text);
  expect(said(only("python"))).toEqual(said(openaiProgram()));
});

test("the README counts models, providers and kinds as the catalog does", () => {
  const { text } = page("README.md");
  /** A number of the README. */
  const said = (words: RegExp): number => Number(words.exec(text)?.[1]);
  const twice = builtInCatalog.models.filter(({ name }) => {
    const offers = builtInCatalog.servedBy(name).filter((offer) => isTwin(offer));
    return (
      new Set(offers.map(({ kind }) => kind).filter((kind) => builtInCatalog.providers.get(kind)?.isKind)).size > 1
    );
  });
  const about = (count: number): number => Math.round(count / 5) * 5;
  expect(said(/some (\d+) models/)).toBe(Math.floor(builtInCatalog.models.length / 50) * 50);
  expect(said(/of (\d+) providers/)).toBe(builtInCatalog.providers.size);
  expect(twice.length).toBeGreaterThan(said(/more than (\d+) are served by two kinds/));
  expect(said(/some (\d+) kinds/)).toBe(about(presetKinds.length));
});
