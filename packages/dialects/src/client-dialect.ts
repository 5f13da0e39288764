import type { ClientError, Dialect, Failure, Operation, Usage } from "@tuloy/contract";

import type { Completable } from "./completion/completion.ts";
import type { SentAnswer } from "./completion/sent.ts";
import type { JsonObject } from "./json/value.ts";
import type { PromptSize } from "./prompt-size.ts";
import type { Continuation } from "./providers/continuation.ts";
import type { ProviderPreset } from "./providers/preset.ts";
import type { StreamRelabel } from "./relabel/stream.ts";
import type { ReadRequest } from "./request.ts";
import type { StreamWatch, WatchOptions } from "./stream-watch.ts";

/** A whole JSON answer under 200, judged. */
export type Answer =
  | {
      readonly ok: true;
      readonly usage: Usage | null;
      /** Characters of generated content, to estimate usage by; it may be 0 where there is usage. */
      readonly textLength: number;
      /** Complete, but without content, tool call, refusal or output tokens. */
      readonly empty: boolean;
      /** What the client gets, where the answer came in another dialect than the client's. Absent: what came. */
      readonly body?: Buffer;
      /** Oddities for the trace. Absent: none. */
      readonly notes?: readonly string[];
    }
  | { readonly ok: false; readonly failure: Failure };

/** What understands a deployment's answers and gives them as the client wants them. */
export interface AnswerReading {
  /** A new watch for one attempt's stream. Throws for a dialect that has no streams: its `facts.stream` is always false. */
  watch(options: WatchOptions): StreamWatch;
  readAnswer(body: Buffer, preset: Pick<ProviderPreset, "markers">): Answer;
}

/** Everything the relay needs of a dialect that clients speak, so that it names none. It reads the answers of its own dialect. */
export interface ClientDialect extends AnswerReading {
  readonly dialect: Dialect;
  readonly operation: Operation;
  /**
   * Reads a request's body; an error says what is wrong, where, and what to do.
   * @param findStored whether `facts.stored` is wanted. Default: it is not
   */
  read(body: Buffer, findStored?: boolean): ReadRequest | ClientError;
  /** The real size of a body that was read before; null when it is none. Takes as long as `count` does: not for the main thread. */
  promptSize(body: Buffer, count: (text: string) => number): PromptSize | null;
  /**
   * What a stream of this dialect began with, if this event says it: kept as `SentAnswer.head`, so that another deployment's
   * stream goes on as the same answer. Only for dialects that are watched through an `EventReader`.
   */
  readonly headOf?: (name: string, data: string) => JsonObject | null;
  /** Told of every event after that one, for dialects whose streams can't be gone on with without: `head` is what `headOf` gave. */
  readonly follow?: (head: JsonObject, name: string, data: string) => void;
  /**
   * The ids under which the provider keeps a whole answer of this dialect, or the stream with this head, and what is in it: a later
   * request that names one can only go there. Absent: its providers keep nothing.
   */
  readonly keptIn?: (answer: Buffer) => readonly string[];
  readonly keptBy?: (head: JsonObject) => readonly string[];
  /** Whether such a stream can be taken up again by its id, should it break. Absent: none can. */
  readonly isInBackground?: (head: JsonObject) => boolean;
  /** In which modes an answer that broke off can be completed. `body` is the request's, for any deployment. */
  completable(body: Buffer, sent: SentAnswer): Completable;
  /** The body that asks a deployment to go on, from the one that asks it to answer. Without a way: softly, as a user would. */
  continueRequest(body: Buffer, sent: SentAnswer, continuation: Continuation | null): Buffer;
  /** A JSON answer with its `model` named otherwise. */
  relabel(body: Buffer, model: string): Buffer;
  /** The same for a stream, a new one for each stream. Throws as `watch` does. */
  relabelStream(model: string): StreamRelabel;
  /** The JSON body of an error. */
  writeError(error: ClientError, traceId: string): Buffer;
  /**
   * An error as a stream event that makes the official SDKs raise.
   * @param head of the stream that it ends, see `StreamWatch.head`; null or absent: nothing of it was sent
   */
  writeErrorEvent(error: ClientError, traceId: string, head?: JsonObject | null): Buffer;
  /** Sign of life that no client takes for content. */
  readonly heartbeat: Buffer;
  /** What ends a whole stream. */
  readonly trailer: Buffer;
}
