import type { Usage } from "@tuloy/contract";

import type { HubSink } from "./answer.ts";
import type { ClientCodec } from "./codec.ts";

/** The errors that a provider can be made to answer, called as the simulated provider's faults are. */
export type SimulatedErrorName = "500" | "503" | "529" | "429" | "quota" | "401" | "403" | "404";

/** An error in OpenAI's words. Dialects that have other words have them by its name. */
export interface SimulatedError {
  readonly name: SimulatedErrorName;
  readonly status: number;
  readonly type: string;
  readonly code: string | null;
  readonly message: string;
  /** The provider's id for the model that was asked for: an error about it names it. */
  readonly model: string;
  /** Of a request that came too soon: how long to wait, in milliseconds. */
  readonly retryAfterMs: number | null;
}

export interface ErrorAnswer {
  /** The dialect's own for such an error, where that is another. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a whole answer without content is for. */
export interface AskedInVain {
  /** The provider's id for the model. */
  readonly model: string;
  readonly stream: boolean;
  /** Seconds since 1970. */
  readonly created: number;
  /** The request's body, for dialects whose answers repeat parts of it. */
  readonly request: Buffer;
}

/** How a provider fails in a dialect, in that dialect's own words: for whoever has one fail on purpose. */
export interface FailureForms {
  /** The content type of a stream. */
  readonly streamType: string;
  /** A sign of life in a stream that says nothing. */
  readonly keepAlive: Buffer;
  /** An event of a stream, whole as such, whose JSON stops in the middle of a text. */
  readonly brokenEvent: Buffer;
  errorAnswer(error: SimulatedError): ErrorAnswer;
  /** The same error in a stream that has begun. */
  errorEvent(error: SimulatedError): Buffer;
  /** An answer that is whole and says nothing. */
  emptyAnswer(asked: AskedInVain): Buffer;
  /**
   * Of a framing that is no server-sent events: how many bytes the message has that begins with these; null: more are needed to know; 0: it
   * is none. Absent: server-sent events.
   */
  readonly messageLength?: (bytes: Buffer) => number | null;
}

export const eventStream = "text/event-stream; charset=utf-8";

/** The wait in a header: `retry-after` has whole seconds only. */
export function waitHeaders({ retryAfterMs: ms }: SimulatedError): Readonly<Record<string, string>> {
  if (ms === null) return {};
  return ms % 1000 === 0 ? { "retry-after": String(ms / 1000) } : { "retry-after-ms": String(ms) };
}

/** An answer without content, as the dialect's own writer has it. */
export function writeNothing(client: ClientCodec, { model, stream, created, request }: AskedInVain): Buffer {
  const context = { wantsUsage: true, makeId: () => "drill", created, reportModel: null, model, request };
  if (!stream) return tellNothing(client.answerWriter(context), model).toBody();
  const writer = tellNothing(client.eventWriter(context, null), model);
  return Buffer.concat([...writer.take(), writer.end()]);
}

function tellNothing<Writer extends HubSink>(writer: Writer, model: string): Writer {
  writer.begin(null, model);
  writer.usage(nothingUsed);
  writer.finish("stop", null);
  return writer;
}

const nothingUsed: Usage = {
  input_tokens: 0,
  cached_input_tokens: 0,
  output_tokens: 0,
  reasoning_tokens: 0,
  source: "provider",
};
