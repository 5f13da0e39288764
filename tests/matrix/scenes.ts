import type { Script } from "@tuloy/testkit";

import { bedrockServing, signed } from "../bedrock-scene.ts";
import { aiStudio } from "../gemini-scene.ts";
import type { TestProvider } from "../harness.ts";
import { speaksResponses } from "../responses-scene.ts";
import { arrived } from "./arrived.ts";
import { refuses } from "./fails.ts";
import type { Spoken } from "./said.ts";

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
