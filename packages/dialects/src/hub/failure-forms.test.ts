import type { Dialect, FailureClass } from "@tuloy/contract";
import { describe, expect, it } from "vitest";

import { classifyResponse } from "../failure/classify.ts";
import { anthropic } from "../providers/anthropic.ts";
import { bedrock } from "../providers/bedrock.ts";
import { gemini } from "../providers/gemini.ts";
import { openai } from "../providers/openai.ts";
import type { ProviderPreset } from "../providers/preset.ts";
import { SseReader } from "../sse/reader.ts";
import type { StreamDecoder, UpstreamCodec } from "./codec.ts";
import { upstreamCodec } from "./codecs.ts";
import type { SimulatedError, SimulatedErrorName } from "./failing.ts";
import { failureForms } from "./failure-forms.ts";
import { Told } from "./told.ts";

const presets: readonly (readonly [Exclude<Dialect, "openai-embeddings">, ProviderPreset])[] = [
  ["openai-chat", openai],
  ["openai-responses", openai],
  ["anthropic-messages", anthropic],
  ["gemini", gemini],
  ["bedrock-converse", bedrock],
];

const classes: Readonly<Record<SimulatedErrorName, FailureClass>> = {
  "500": "server_error",
  "503": "overloaded",
  "529": "overloaded",
  "429": "rate_limited",
  quota: "quota_exhausted",
  "401": "auth",
  "403": "auth",
  "404": "model_missing",
};
const names = Object.keys(classes) as SimulatedErrorName[];

/** In OpenAI's words, as the simulated provider has them. */
const codes: Partial<Record<SimulatedErrorName, string>> = {
  "529": "overloaded_error",
  quota: "insufficient_quota",
  "404": "model_not_found",
};

function errorCalled(name: SimulatedErrorName): SimulatedError {
  const status = name === "quota" ? 429 : Number(name);
  const retryAfterMs = name === "429" ? 1500 : null;
  const message = name === "404" ? "The model `model-x` does not exist." : "It failed.";
  return { name, status, type: "server_error", code: codes[name] ?? null, message, retryAfterMs, model: "model-x" };
}

/** What a dialect's reader makes of a stream's bytes. */
function read(
  dialect: Dialect,
  bytes: Buffer,
  preset: ProviderPreset,
): { readonly told: Told; readonly finished: boolean; readonly known: boolean[] } {
  const codec = upstreamCodec(dialect);
  if (codec === null) throw new Error(`${dialect} is never streamed`);
  const told = new Told(null);
  const reader = codec.reader(told, preset);
  const known: boolean[] = [];
  const event = (name: string, data: string): void => void known.push(reader.event(name, data));
  expect(decoderOf(codec, event).push(bytes)).toBe("ok");
  return { told, finished: reader.finished, known };
}

function decoderOf({ decoder }: UpstreamCodec, event: (name: string, data: string) => void): StreamDecoder {
  const nothing = (): void => {};
  return decoder?.({ event }) ?? new SseReader({ event, comment: nothing, filler: nothing, tail: nothing });
}

describe.each(presets)("in %s", (dialect, preset) => {
  const forms = failureForms[dialect];

  it.each(names)("the error %s is understood where it is answered", (name) => {
    const { status, headers, body } = forms.errorAnswer(errorCalled(name));
    const failure = classifyResponse({
      status,
      headers: (header) => headers[header],
      body: Buffer.from(body),
      preset,
      wall: 0,
    });
    const expected = dialect === "bedrock-converse" && name === "quota" ? "rate_limited" : classes[name];
    expect(failure).toMatchObject({ class: expected, retryAfterMs: name === "429" ? 1500 : null });
  });

  it("the error of a model that is missing names it", () => {
    const { body } = forms.errorAnswer(errorCalled("404"));
    // AWS does not.
    expect(body.includes("model-x")).toBe(dialect !== "bedrock-converse");
  });

  it("an error in a stream ends it", () => {
    const { told } = read(dialect, forms.errorEvent(errorCalled("500")), preset);
    expect(told.failure).toMatchObject({ class: "server_error" });
  });

  it("an empty answer is whole, and says nothing", () => {
    const asked = { model: "model-x", created: 1, request: Buffer.from("{}") };
    const streamed = read(dialect, forms.emptyAnswer({ ...asked, stream: true }), preset);
    const whole = new Told(null);
    upstreamCodec(dialect)?.readAnswer(forms.emptyAnswer({ ...asked, stream: false }), preset, whole);
    for (const told of [streamed.told, whole]) {
      expect(told).toMatchObject({ failure: null, committed: false, ending: "stop", counted: { output_tokens: 0 } });
    }
    expect(streamed.finished).toBe(true);
  });

  it("a sign of life is no content, and no failure", () => {
    const { told } = read(dialect, Buffer.concat([forms.keepAlive, forms.keepAlive]), preset);
    expect(told).toMatchObject({ failure: null, progress: false, notes: [] });
  });

  it("a broken event is whole as an event, and nothing of the dialect", () => {
    const { told, known } = read(dialect, forms.brokenEvent, preset);
    expect([known, told.failure]).toEqual([[false], null]);
  });
});
