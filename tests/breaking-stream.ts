import { chatChunk, chatChunks, sse } from "@tuloy/testkit";
import type { ReceivedRequest, Reply, Script } from "@tuloy/testkit";

/** A stream that breaks off after three pieces, and what those who complete it say. */
export const whole = "Go on then, as you were, until the very end of it.";
export const pieces: readonly string[] = whole.match(/\s*\S+/g) ?? [];
export const shape = { id: "chatcmpl-a", model: "a-model-x" };
/** What the client has when it breaks off. */
export const had: string = pieces.slice(0, 3).join("");

/** One chunk of a stream with this id. */
export const event = (delta: object, id: string, finish?: string): string =>
  sse(
    chatChunk(
      { delta, ...(finish === undefined ? {} : { finish_reason: finish }) },
      { id, model: `${id.at(-1)}-model-x` },
    ),
  );

export const begins = (reply: Reply): Reply =>
  chatChunks(pieces.slice(0, 3), { ...shape, finishReason: null, done: false }).reduce(
    (said, event) => said.chunk(event),
    reply.eventStream(),
  );

export const breaksOff: Script = (reply) => begins(reply).reset();

export interface AskedBody {
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly [member: string]: unknown;
}

export const bodyOf = (request: ReceivedRequest | undefined): AskedBody => request?.json() as AskedBody;

/** The beginning of the answer that a deployment was given, or null. */
export const prefixOf = ({ messages }: AskedBody): string | null => {
  const last = messages.at(-1);
  return last?.role === "assistant" ? last.content : null;
};

/** Streams a text in pieces of its own size, with usage. */
export function says(reply: Reply, text: string, usage: readonly [number, number] = [5, 7]): Reply {
  const own = chatChunks(text.match(/[^]{1,7}/g) ?? [], { id: "chatcmpl-b", model: "b-model-x", usage });
  return own.reduce((said, event) => said.chunk(event), reply.eventStream()).end();
}

/** Goes on from a last assistant message with what the whole text has after it. */
export const goesOn: Script = (reply, request) => {
  const prefix = prefixOf(bodyOf(request)) ?? "";
  return says(reply, whole.slice(prefix.length), [5 + Math.ceil(prefix.length / 4), 9]);
};

/** A provider that is declared to go on in a way. */
export const continues = (way: string): { readonly facts: string } => ({ facts: `continuation: ${way}` });
