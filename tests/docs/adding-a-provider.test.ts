import { runInNewContext } from "node:vm";

import type * as Dialects from "@tuloy/dialects";
import type { ProviderPreset } from "@tuloy/dialects";
import { answersChat, startUpstream } from "@tuloy/testkit";
import { expect, onTestFinished, test, vi } from "vitest";

import { chat, embeddings, openaiLike } from "../../packages/dialects/src/providers/openai-like.ts";
import { startTuloy } from "../harness.ts";
import { hearStream, post } from "../scene.ts";
import { blocks, page } from "./markdown.ts";

// The object of the page, made of its very text.
const added = vi.hoisted(() => ({ preset: null as ProviderPreset | null }));
vi.mock("@tuloy/dialects", async (original) => {
  const dialects = await original<typeof Dialects>();
  return {
    ...dialects,
    presetOf: (kind: string) => (kind === "groq" ? added.preset : dialects.presetOf(kind)),
  };
});

test("a provider is one file of data: the page's own is served, with nothing but its data", async () => {
  const file = blocks(page("docs/adding-a-provider.md")).find(({ language }) => language === "ts");
  const literal = /= (\{[^]*\});\s*$/.exec(file?.text ?? "")?.[1] ?? "";
  const preset = runInNewContext(`(${literal})`, { chat, embeddings, openaiLike }) as ProviderPreset;
  expect(preset.kind).toBe("example");
  // Its kind is not in the schema's list, so it stands in for one that is.
  added.preset = preset;

  const broke = { error: { message: "Your balance is 0.", type: "x", code: null } };
  const upstream = await startUpstream((reply, request) =>
    request.body.includes("pay") ? reply.json(403, broke) : answersChat("Hello from Example.")(reply, request),
  );
  const gateway = await startTuloy({ providers: { a: { kind: "groq", url: upstream.url } } });
  onTestFinished(async () => {
    await gateway.close();
    await upstream.close();
  });
  const answer = await post(gateway, { logit_bias: { "1": 1 } });
  expect(answer.json()).toMatchObject({ choices: [{ message: { content: "Hello from Example." } }] });
  expect(upstream.requests[0]).toMatchObject({
    path: "/v1/chat/completions",
    headers: { authorization: "Bearer sk-a-secret-key" },
  });
  expect(upstream.requests[0]?.json()).not.toHaveProperty("logit_bias");
  expect((await hearStream(gateway.client())).text).toBe("Hello from Example.");
  const refused = await post(gateway, { messages: [{ role: "user", content: "pay" }] });
  const trace = await gateway.trace(String(refused.headers["x-tuloy-trace-id"]));
  expect(trace.attempts.map(({ failure }) => failure)).toEqual(["quota_exhausted"]);
});
