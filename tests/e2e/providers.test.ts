import { continuationOf, presetKinds, presetOf, type Endpoint, type ProviderPreset } from "@tuloy/dialects";
import { answersChat, answersMessage, chatAnswer, geminiUsage, startUpstream } from "@tuloy/testkit";
import type { Collected, ReceivedRequest, Script, ScriptedUpstream } from "@tuloy/testkit";
import { describe, expect, onTestFinished, test } from "vitest";

import { bodyOf, breaksOff, prefixOf, says, whole } from "../breaking-stream.ts";
import { answersGemini } from "../gemini-scene.ts";
import { model, startTuloy, type TestGateway, type TestProvider } from "../harness.ts";
import { hearStream, post } from "../scene.ts";
import { errorOf } from "../shared-scene.ts";

/** Where a kind's first dialect is reached and in which header its key is: as the documentation has it, beside the preset. */
const addresses: Readonly<Record<string, readonly [url: string, header: string]>> = {
  alibaba: ["https://dashscope-intl.aliyuncs.com/compatible-mode/v1/chat/completions", "authorization: Bearer"],
  anthropic: ["https://api.anthropic.com/v1/messages", "x-api-key:"],
  "anthropic-compatible": ["/messages", "x-api-key:"],
  azure: ["https://RESOURCE.openai.azure.com/openai/v1/chat/completions", "api-key:"],
  cerebras: ["https://api.cerebras.ai/v1/chat/completions", "authorization: Bearer"],
  cloudflare: [
    "https://api.cloudflare.com/client/v4/accounts/ACCOUNT_ID/ai/v1/chat/completions",
    "authorization: Bearer",
  ],
  cohere: ["https://api.cohere.ai/compatibility/v1/chat/completions", "authorization: Bearer"],
  databricks: ["https://WORKSPACE.cloud.databricks.com/serving-endpoints/chat/completions", "authorization: Bearer"],
  deepinfra: ["https://api.deepinfra.com/v1/openai/chat/completions", "authorization: Bearer"],
  deepseek: ["https://api.deepseek.com/chat/completions", "authorization: Bearer"],
  fireworks: ["https://api.fireworks.ai/inference/v1/chat/completions", "authorization: Bearer"],
  gemini: ["https://generativelanguage.googleapis.com/v1beta/models/ID:generateContent", "x-goog-api-key:"],
  "github-models": ["https://models.github.ai/inference/chat/completions", "authorization: Bearer"],
  groq: ["https://api.groq.com/openai/v1/chat/completions", "authorization: Bearer"],
  huggingface: ["https://router.huggingface.co/v1/chat/completions", "authorization: Bearer"],
  llamacpp: ["http://localhost:8080/v1/chat/completions", "authorization: Bearer"],
  lmstudio: ["http://localhost:1234/v1/chat/completions", "authorization: Bearer"],
  minimax: ["https://api.minimax.io/v1/chat/completions", "authorization: Bearer"],
  mistral: ["https://api.mistral.ai/v1/chat/completions", "authorization: Bearer"],
  moonshot: ["https://api.moonshot.ai/v1/chat/completions", "authorization: Bearer"],
  nebius: ["https://api.tokenfactory.nebius.com/v1/chat/completions", "authorization: Bearer"],
  novita: ["https://api.novita.ai/openai/v1/chat/completions", "authorization: Bearer"],
  nvidia: ["https://integrate.api.nvidia.com/v1/chat/completions", "authorization: Bearer"],
  ollama: ["http://localhost:11434/v1/chat/completions", "authorization: Bearer"],
  openai: ["https://api.openai.com/v1/chat/completions", "authorization: Bearer"],
  "openai-compatible": ["/chat/completions", "authorization: Bearer"],
  openrouter: ["https://openrouter.ai/api/v1/chat/completions", "authorization: Bearer"],
  perplexity: ["https://api.perplexity.ai/chat/completions", "authorization: Bearer"],
  sambanova: ["https://api.sambanova.ai/v1/chat/completions", "authorization: Bearer"],
  sglang: ["http://localhost:30000/v1/chat/completions", "authorization: Bearer"],
  together: ["https://api.together.xyz/v1/chat/completions", "authorization: Bearer"],
  vllm: ["http://localhost:8000/v1/chat/completions", "authorization: Bearer"],
  xai: ["https://api.x.ai/v1/chat/completions", "authorization: Bearer"],
  zai: ["https://api.z.ai/api/paas/v4/chat/completions", "authorization: Bearer"],
};

/** The sandbox runs inside Tuloy, and these two want a cloud's own credentials: their calls have tests of their own. */
const apart = new Set(["sandbox", "vertex", "bedrock"]);
const presets = presetKinds.flatMap((kind) => (apart.has(kind) ? [] : (presetOf(kind) ?? [])));
const text = "Hello there from here.";
const credentials = ["authorization", "api-key", "x-api-key", "x-goog-api-key", "cookie"];

function firstOf({ kind, endpoints }: ProviderPreset): Endpoint {
  const [first] = endpoints.chat ?? [];
  if (first === undefined) throw new Error(`${kind} serves no chat`);
  return first;
}

/** Answers as the preset's first dialect does, with usage of 5 and 7. */
function answers({ endpoints }: ProviderPreset): Script {
  const [first] = endpoints.chat ?? [];
  if (first?.dialect === "anthropic-messages") return answersMessage(text);
  if (first?.dialect === "gemini") return answersGemini([[{ text }]], { usage: geminiUsage(5, 7) });
  return answersChat(text);
}

/** Where a test's provider of this kind is: below the path that the kind's address has, or a host alone where that is enough. */
function placeOf({
  kind,
  baseUrl,
  baseUrlForm,
}: ProviderPreset): Pick<TestProvider, "kind" | "base"> & { path: string } {
  const path = baseUrl === null && baseUrlForm === undefined ? "/v1" : new URL(baseUrl ?? baseUrlForm ?? "").pathname;
  const own = path === "/" ? "" : path;
  return { kind, base: baseUrlForm === undefined || /[A-Z]/.test(path) ? own : "", path: own };
}

type Scene<Name extends string> = Record<Name, ScriptedUpstream> & { readonly gateway: TestGateway };

/** A gateway in front of upstreams that are providers of one kind each. */
async function sceneOf<Name extends string>(
  parts: Readonly<Record<Name, readonly [Script, Omit<TestProvider, "url">]>>,
): Promise<Scene<Name>> {
  const upstreams = {} as Record<Name, ScriptedUpstream>;
  const providers: Record<string, TestProvider> = {};
  for (const name of Object.keys(parts) as Name[]) {
    const [script, provider] = parts[name];
    upstreams[name] = await startUpstream(script);
    providers[name] = { ...provider, url: upstreams[name].url };
  }
  const gateway = await startTuloy({ providers });
  onTestFinished(async () => {
    await gateway.close();
    await Promise.all(Object.values<ScriptedUpstream>(upstreams).map((upstream) => upstream.close()));
  });
  return { ...upstreams, gateway };
}

const traceOf = (gateway: TestGateway, { headers }: Collected) =>
  gateway.trace(String(headers["x-tuloy-trace-id"] ?? ""));

describe.each(presets.map((preset) => [preset.kind, preset] as const))("%s", (kind, preset) => {
  const first = firstOf(preset);
  const { path, ...place } = placeOf(preset);

  test("is where its documentation says, with its key in the header that it says", () => {
    const [url, header] = addresses[kind] ?? [];
    expect(`${preset.baseUrl ?? preset.baseUrlForm ?? ""}${first.path.replace("{model}", "ID")}`).toBe(url);
    const { auth } = preset;
    expect(typeof auth === "object" && "header" in auth ? `${auth.header}: ${auth.prefix}`.trim() : auth).toBe(header);
  });

  test("answers as JSON and as a stream, and gets its key, its path and its id for the model, and no other credential", async () => {
    const { a, gateway } = await sceneOf({ a: [answers(preset), place] });
    const answer = await post(gateway, {}, { headers: { "x-api-key": "nobody", cookie: "c=1" } });
    expect([answer.status, answer.json()]).toMatchObject([200, { choices: [{ message: { content: text } }] }]);
    const heard = await hearStream(gateway.client());
    expect([heard.text, heard.error]).toEqual([text, null]);

    const id = `a-${model}`;
    const [asked, streamed] = a.requests as [ReceivedRequest, ReceivedRequest];
    const expected = (template: string): string => path + template.replace("{model}", encodeURIComponent(id));
    expect(asked.path).toBe(expected(first.path));
    expect(streamed.path).toBe(expected(first.streamPath ?? first.path));
    expect(asked.json()).toMatchObject(first.path.includes("{model}") ? {} : { model: id });
    const auth = first.auth ?? preset.auth;
    if (typeof auth !== "object" || !("header" in auth)) throw new Error("a key in a header was expected");
    for (const { headers } of a.requests) {
      const shown = credentials.filter((name) => headers[name] !== undefined);
      expect(shown).toEqual([auth.header]);
      expect(headers[auth.header]).toBe(`${auth.prefix}sk-a-secret-key`);
      expect(headers).toMatchObject(first.headers ?? {});
    }
    const options = (streamed.json() as { stream_options?: unknown }).stream_options;
    const isAsked = first.dialect === "openai-chat" && preset.streamUsage;
    expect(options).toEqual(isAsked ? { include_usage: true } : undefined);
    for (const trace of [
      await traceOf(gateway, answer),
      await gateway.trace(heard.headers?.get("x-tuloy-trace-id") ?? null),
    ]) {
      expect(trace.attempts).toMatchObject([
        { failure: null, usage: { input_tokens: 5, output_tokens: 7, source: "provider" } },
      ]);
      expect(JSON.stringify(trace)).not.toContain("secret-key");
    }
  });

  test("gets nothing that it refuses: it is left out or renamed, or the provider is not asked", async () => {
    const { a, gateway } = await sceneOf({ a: [answers(preset), place] });
    for (const name of preset.refuses) {
      const before = a.requests.length;
      const answer = await post(gateway, { [name]: valueOf(name) });
      const asked = a.requests.slice(before).map((request) => Object.keys(request.json() as object));
      const isRefused = answer.status === 400 && errorOf(answer)["code"] === "no_deployment_allowed";
      expect([name, answer.status === 200 || isRefused]).toEqual([name, true]);
      expect([name, asked.length]).toEqual([name, isRefused ? 0 : 1]);
      expect(asked.flat()).not.toContain(name);
    }
  });

  test.runIf(preset.markers.length > 0)("has its errors taken for what they are", async () => {
    const scripts = preset.markers.map(({ status = 400, code = null, message = "No." }): Script => {
      const body = { error: { message: `Sorry: ${message}.`, type: null, code } };
      return (reply) => reply.json(status, body);
    });
    const scene = await sceneOf(Object.fromEntries(scripts.map((script, at) => [`m${at}`, [script, place] as const])));
    for (const [at, marker] of preset.markers.entries()) {
      const trace = await traceOf(scene.gateway, await post(scene.gateway, { model: `@m${at}/${model}` }));
      expect([marker.because, trace.attempts[0]?.failure]).toEqual([marker.because, marker.class]);
    }
  });

  test.runIf(preset.rateLimitHeaders.length > 0)("is believed when it says that nothing is left of a key", async () => {
    for (const { requests } of preset.rateLimitHeaders) {
      const said = { [requests.remaining]: "0", [requests.limit]: "10", [requests.reset]: "1h" };
      const headers: Script = (reply, request) => answersWith(answers(preset), said)(reply, request);
      const { a, gateway } = await sceneOf({ a: [headers, place], b: [answersChat("From the twin."), {}] });
      await post(gateway);
      const second = await traceOf(gateway, await post(gateway));
      expect(second.exclusions).toMatchObject([{ deployment: `a/${model}`, reason: "no_usable_key" }]);
      expect(a.requests).toHaveLength(1);
    }
  });

  test.runIf(first.dialect === "openai-chat")(
    "goes on with an answer that broke off elsewhere in its own way",
    async () => {
      const way = preset.continuation === null ? null : continuationOf(preset.continuation);
      // A small JSON request finds out whether a server of unknown skill goes on from "sev".
      const goesOn: Script = (reply, request) =>
        bodyOf(request)["stream"] === undefined
          ? reply.json(200, chatAnswer("en, eight, nine"))
          : says(reply, way?.echoes === true ? whole : whole.slice((prefixOf(bodyOf(request)) ?? "").length));
      const { b, gateway } = await sceneOf({ a: [breaksOff, {}], b: [goesOn, place] });
      const heard = await hearStream(gateway.client());
      expect([heard.text, heard.error]).toEqual([whole, null]);
      const trace = await gateway.trace(heard.headers?.get("x-tuloy-trace-id") ?? null);
      const kinds = trace.attempts.map((attempt) => attempt.kind);
      const steps =
        preset.continuation === null
          ? ["continuation_probe", "continuation"]
          : [way === null ? "replay" : "continuation"];
      expect(kinds.slice(1)).toEqual(steps);
      const asked = b.requests.at(-1);
      const said = bodyOf(asked);
      expect(asked?.path).toBe(`${way?.basePath ?? path}${first.path}`);
      const isReplay = preset.continuation === "none";
      expect(said.messages.at(-1)).toMatchObject({ role: isReplay ? "user" : "assistant", ...way?.message });
      expect(said).toMatchObject(way?.body ?? {});
    },
  );
});

/** A value with which a parameter says something. */
function valueOf(name: string): unknown {
  if (name === "n") return 2;
  if (name === "tools") return [{ type: "function", function: { name: "f", parameters: { type: "object" } } }];
  if (name === "functions") return [{ name: "f", parameters: { type: "object" } }];
  if (name === "logprobs" || name === "store" || name === "parallel_tool_calls") return true;
  if (name === "reasoning") return { effort: "low" };
  if (name === "reasoning_effort" || name === "service_tier") return "low";
  if (name === "logit_bias") return { "50256": -100 };
  if (name === "stop") return ["x"];
  if (name === "tool_choice" || name === "function_call") return "none";
  return 1;
}

/** A whole JSON answer of a script with further headers. */
function answersWith(script: Script, headers: Readonly<Record<string, string>>): Script {
  return (reply, request) => {
    const json = reply.json.bind(reply);
    reply.json = (status, body, fields) => json(status, body, { ...headers, ...fields });
    return script(reply, request);
  };
}

test("every kind that can be called with a key alone is held to its documentation", () => {
  expect(new Set(Object.keys(addresses))).toEqual(new Set(presets.map(({ kind }) => kind)));
});
