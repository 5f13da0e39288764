import type { Script } from "@tuloy/testkit";

import { bedrockServing, signed } from "../bedrock-scene.ts";
import { aiStudio } from "../gemini-scene.ts";
import type { TestProvider } from "../harness.ts";
import { speaksResponses } from "../responses-scene.ts";
import { openScene } from "../scene.ts";
import { arrived } from "./arrived.ts";
import { refuses } from "./fails.ts";
import { spoken, type Spoken } from "./said.ts";

/** A model that every SDK here knows as one that thinks and gives objects by a schema. */
export const name = "claude-haiku-4-5";

const price = "price: { input: 1, output: 2 }";
const serving = (id: string, more = "") => ({
  model: null,
  models: [`${name}: { id: "${id}", ${price}${more === "" ? "" : `, ${more}`} }`],
});

/** A provider of each dialect that serves it. */
export const providers: Readonly<Record<Spoken, Omit<TestProvider, "url">>> = {
  "openai-chat": serving("o-1"),
  "openai-responses": { ...speaksResponses, ...serving("o-1", speaksResponses.model) },
  "anthropic-messages": { kind: "anthropic-compatible", ...serving("claude-haiku-4-5-20251001") },
  gemini: { ...aiStudio, ...serving("gemini-3-flash") },
  "bedrock-converse": { ...bedrockServing(), ...serving("anthropic.claude-haiku-4-5-20251001-v1:0") },
};

/** Every dialect and another one. */
export const pairs: readonly Pair[] = spoken.flatMap((first) =>
  spoken.filter((other) => other !== first).map((second): Pair => [first, second]),
);

export type Pair = readonly [first: Spoken, second: Spoken];

const pairHeader = "x-pair";

export const headersOf = ([first, second]: Pair) => ({ [pairHeader]: `${first}-${second}` });

/** A gateway in front of a provider of each dialect: of a pair's, for requests with its header, the first is asked, and where it fails the second. */
export async function openPairs(): Promise<Awaited<ReturnType<typeof openScene<Spoken>>>> {
  // What a test has fail is no reason to pass over it in the next.
  const failover = "failover: { breaker: { failures: 1000, of: 1000 } }";
  const routes = pairs.map(
    ([first, second]) =>
      `name: ${first}-${second}, match: { header: { ${pairHeader}: ${first}-${second} } }, providers: [${first}, ${second}], ${failover}`,
  );
  const parts = Object.fromEntries(spoken.map((dialect) => [dialect, []])) as unknown as Record<Spoken, []>;
  // Or it would be probed for how it goes on.
  const chat = { ...providers["openai-chat"], facts: "continuation: none" };
  return openScene(parts, { providers: { ...providers, "openai-chat": chat }, routes });
}

/** Answers only what the provider would take, as it would refuse it otherwise. */
export function strict(dialect: Spoken, script: Script): Script {
  const checked: Script = (reply, request) => {
    try {
      arrived[dialect](request);
    } catch (fault) {
      return refuses[dialect](String(fault))(reply, request);
    }
    return script(reply, request);
  };
  return dialect === "bedrock-converse" ? signed(checked) : checked;
}
