import type { Clock } from "@tuloy/contract";
import { collect, expectClean, startUpstream } from "@tuloy/testkit";
import type { Collected, CollectOptions, ReceivedRequest, Script, ScriptedUpstream } from "@tuloy/testkit";
import OpenAI from "openai";
import { onTestFinished } from "vitest";

import { apiKey, model, startTuloy } from "./harness.ts";
import type { TestGateway, TestProvider } from "./harness.ts";

/** What one provider says: a reply to every request, or one reply a request, in order. */
export type Part = Script | readonly Script[];

export interface SceneOptions {
  /** YAML, inside the braces of the default route's `failover`. */
  readonly failover?: string;
  /** Routes before the default one, each as YAML inside its braces. */
  readonly routes?: readonly string[];
  /** Further API keys, each as YAML in braces. */
  readonly keys?: readonly string[];
  /** More YAML at the top level. */
  readonly more?: string;
  /** By provider: its keys, and YAML inside its model's braces. */
  readonly providers?: Readonly<Record<string, Omit<TestProvider, "url">>>;
  /** The gateway's. Default: the machine's. */
  readonly clock?: Clock;
  /** 0 ≤ x < 1. Default: the machine's chance. */
  readonly random?: () => number;
}

/** A gateway in front of one scripted upstream per part. */
export type Scene<Name extends string> = Record<Name, ScriptedUpstream> & { readonly gateway: TestGateway };

/**
 * Sets up a gateway in front of one scripted upstream per part; all serve the same model and are preferred in the order
 * of the parts. Everything is closed when the test is over, which then also fails for what a script threw.
 *
 *     const { a, b, gateway } = await setScene({ a: answersError(503, null, "busy"), b: answersChat("hello") });
 */
export async function setScene<Name extends string>(
  parts: Readonly<Record<Name, Part>>,
  options: SceneOptions = {},
): Promise<Scene<Name>> {
  const { scene, close } = await openScene(parts, options);
  onTestFinished(close);
  return scene;
}

/** As `setScene`, but for several tests: a gateway's start takes most of a short test's time. Whoever opens it closes it. */
export async function openScene<Name extends string>(
  parts: Readonly<Record<Name, Part>>,
  options: SceneOptions = {},
): Promise<{ readonly scene: Scene<Name>; readonly close: () => Promise<void> }> {
  const upstreams = {} as Record<Name, ScriptedUpstream>;
  const providers: Record<string, TestProvider> = {};
  for (const name of Object.keys(parts) as Name[]) {
    upstreams[name] = await startUpstream(parts[name]);
    providers[name] = { ...options.providers?.[name], url: upstreams[name].url };
  }
  const { failover, routes, keys, more, clock, random } = options;
  const gateway = await startTuloy({
    providers,
    ...(failover === undefined ? {} : { failover }),
    ...(routes === undefined ? {} : { routes }),
    ...(keys === undefined ? {} : { keys }),
    ...(more === undefined ? {} : { more }),
    ...(clock === undefined ? {} : { clock }),
    ...(random === undefined ? {} : { random }),
  });
  const close = async (): Promise<void> => {
    await gateway.close();
    await Promise.all(Object.values<ScriptedUpstream>(upstreams).map((upstream) => upstream.close()));
  };
  return { scene: { ...upstreams, gateway }, close };
}

/** One request to a gateway as bare HTTP, for what an SDK hides: `body` is sent with a model and one message unless it has them. */
export function post(
  gateway: TestGateway,
  body: Readonly<Record<string, unknown>> | string | Buffer = {},
  options: Omit<CollectOptions, "body"> & { readonly path?: string } = {},
): Promise<Collected> {
  const { path = "/v1/chat/completions", headers, ...rest } = options;
  const whole = typeof body === "string" || Buffer.isBuffer(body) ? body : { ...question, ...body };
  const known = { "content-type": "application/json", authorization: `Bearer ${apiKey}` };
  return collect(`${gateway.url}${path}`, { ...rest, body: whole, headers: { ...known, ...headers } });
}

/** What is asked when a test does not care. */
export const question = {
  model,
  messages: [{ role: "user" as const, content: "Say something." }],
} satisfies OpenAI.ChatCompletionCreateParams;

/** A stream as the official SDK gave it to its caller. */
export interface HeardStream {
  readonly text: string;
  readonly chunks: readonly OpenAI.ChatCompletionChunk[];
  /** What the iteration threw, or null when the SDK took the stream for whole. */
  readonly error: unknown;
  /** Of the answer; also there when the iteration threw, but null when no answer came. */
  readonly headers: Headers | null;
}

/** Asks for a stream with the official SDK and reads it to its end or its error. */
export async function hearStream(
  client: OpenAI,
  body: Partial<OpenAI.ChatCompletionCreateParamsStreaming> = {},
): Promise<HeardStream> {
  const chunks: OpenAI.ChatCompletionChunk[] = [];
  let headers: Headers | null = null;
  let error: unknown = null;
  try {
    const { data, response } = await client.chat.completions
      .create({ ...question, ...body, stream: true })
      .withResponse();
    headers = response.headers;
    for await (const chunk of data) chunks.push(chunk);
  } catch (thrown) {
    error = thrown;
  }
  return { text: chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join(""), chunks, error, headers };
}

/** What keeps an answer, streamed or not, from being whole and saying this. */
export function problemsOf(answer: Collected, text: string): string[] {
  if (answer.headers["content-type"]?.includes("event-stream")) return expectClean(answer, text);
  const { choices } = answer.json() as OpenAI.ChatCompletion;
  return choices[0]?.message.content === text ? [] : [answer.text()];
}

export function traceIdOf({ headers }: Pick<Collected, "headers">): string {
  return String(headers["x-tuloy-trace-id"]);
}

/** The SDK's error for a call that must fail. */
export async function caught(call: PromiseLike<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> {
  try {
    await call;
  } catch (error) {
    if (error instanceof OpenAI.APIError) return error;
    throw error;
  }
  throw new Error("the call succeeded");
}

/** Which provider keys requests came with, in their order. */
export function keysOf(requests: readonly ReceivedRequest[]): string[] {
  return requests.map(({ headers }) => String(headers["authorization"]).replace("Bearer ", ""));
}

/** The breaker of a provider's deployment of the tests' model. */
export function breakerOf(gateway: TestGateway, provider: string): ReturnType<Breakers["breaker"]> {
  return gateway.launched.health.breaker(`${provider}/${model}`);
}

/** Of a breaker that has counted nothing. */
export const untouched = { state: "closed", consecutiveFailures: 0, lastFailureAt: null };

type Breakers = TestGateway["launched"]["health"];
