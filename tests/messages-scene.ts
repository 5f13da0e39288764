import Anthropic from "@anthropic-ai/sdk";
import type { ReceivedRequest } from "@tuloy/testkit";

import { apiKey, model } from "./harness.ts";
import type { TestProvider } from "./harness.ts";

/** A provider that speaks Anthropic's dialect. */
export const claude: Omit<TestProvider, "url"> = { kind: "anthropic-compatible" };

/** What is asked when a test does not care. */
export const asked = {
  model,
  max_tokens: 200,
  messages: [{ role: "user", content: "Say something." }],
} satisfies Anthropic.MessageCreateParamsNonStreaming;

export type Asking = Partial<Anthropic.MessageCreateParamsNonStreaming>;

/** Anthropic's own SDK, which sends everything once. */
export function anthropicAt(url: string, key: string = apiKey): Anthropic {
  return new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0 });
}

/** A message as the SDK gave it to its caller, without what only its response had. */
export async function hearMessage(client: Anthropic, body: Asking = {}): Promise<Anthropic.Message> {
  const { _request_id: _id, ...message } = (await client.messages.create({
    ...asked,
    ...body,
  })) as Anthropic.Message & {
    _request_id?: string;
  };
  return message;
}

/** The same from a stream, put together by the SDK. */
export async function hearStreamed(client: Anthropic, body: Asking = {}): Promise<Anthropic.Message> {
  return client.messages.stream({ ...asked, ...body }).finalMessage();
}

export interface HeardEvents {
  readonly events: readonly Anthropic.RawMessageStreamEvent[];
  readonly text: string;
  /** What the iteration threw, or null when the SDK took the stream for whole. */
  readonly error: unknown;
  readonly headers: Headers | null;
}

/** Reads a stream's events to its end or its error. */
export async function hearEvents(client: Anthropic, body: Asking = {}): Promise<HeardEvents> {
  const events: Anthropic.RawMessageStreamEvent[] = [];
  let headers: Headers | null = null;
  let error: unknown = null;
  try {
    const { data, response } = await client.messages.create({ ...asked, ...body, stream: true }).withResponse();
    headers = response.headers;
    for await (const event of data) events.push(event);
  } catch (thrown) {
    error = thrown;
  }
  const text = events
    .map((event) => (event.type === "content_block_delta" && event.delta.type === "text_delta" ? event.delta.text : ""))
    .join("");
  return { events, text, error, headers };
}

/** What an upstream was sent, in either dialect. */
export const sentTo = (request: ReceivedRequest | undefined): Record<string, unknown> =>
  request?.json() as Record<string, unknown>;

export { model };
