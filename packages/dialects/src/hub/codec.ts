import type { Capability, ClientError, ContinuationWay, Dialect, Failure, ParameterFacts } from "@tuloy/contract";

import type { CompletionMode } from "../completion/completion.ts";
import type { SentAnswer } from "../completion/sent.ts";
import type { JsonObject } from "../json/value.ts";
import type { Continuation } from "../providers/continuation.ts";
import type { ProviderPreset } from "../providers/preset.ts";
import type { HubSink } from "./answer.ts";
import type { HubRequest } from "./request.ts";

/** What a request is written for. */
export interface WriteTarget {
  /** The provider's id for the model. */
  readonly model: string;
  /** The canonical model's, where a writer must know the family (`claude-sonnet-4-6`). */
  readonly canonicalModel: string;
  readonly preset: ProviderPreset;
  /** The longest answer the deployment gives, for dialects where a request must name one; null: unknown. */
  readonly outputTokens: number | null;
  /** What the deployment takes of the parameters, by OpenAI's names for them; null: nothing is known. See `spelling`. */
  readonly parameters: ParameterFacts | null;
  /** How it is asked, in OpenAI's chat dialect, to go on from a last message that begins the answer. Absent, or null: there is none. */
  readonly continuation?: Continuation | null;
}

export interface WrittenRequest {
  readonly body: Buffer;
  /** What of the request this dialect has no words for and was left out, each in words, by names the client knows. */
  readonly notes: readonly string[];
}

/** Cuts an upstream's bytes into named pieces of text: server-sent events, or another framing. */
export interface StreamDecoder {
  /** @returns `event_too_large` or `broken_frame`, from then on always, when the stream cannot be read on */
  push(chunk: Buffer): "ok" | "event_too_large" | "broken_frame";
}

/** What a decoder finds. The bytes of an event are `carry` and `start` to `end` of the chunk; a framing without bytes to forward gives none. */
export type DecoderOf = (sink: EventSink) => StreamDecoder;

export interface EventSink {
  event(name: string, data: string): void;
}

/**
 * Understands the events of one stream of one dialect, and tells a sink. One per stream. Never throws: what it does not know it
 * skips, what is broken it reports once by `fail`.
 */
export interface EventReader {
  /** @returns false for an event that is not of this dialect (malformed, unknown object): it is noted, not forwarded */
  event(name: string, data: string): boolean;
  /** The dialect's own terminator was seen (`[DONE]`, `message_stop`, `response.completed`). */
  readonly done: boolean;
  /** A missing terminator after a finish is no failure: whether this stream ended as whole as its dialect demands. */
  readonly finished: boolean;
}

/** How a dialect is spoken by a provider. */
export interface UpstreamCodec {
  readonly dialect: Dialect;
  /** What of the capabilities this dialect has words for. A request that uses another can only go elsewhere. */
  readonly expresses: ReadonlySet<Capability>;
  /**
   * What only the content shows: why this request can't be said in this dialect, in words that go on "this deployment": `takes no
   * images by URL`. No attempt is made there then. Absent: everything can that needs nothing but what `expresses` has.
   */
  readonly obstacle?: (request: HubRequest) => string | null;
  /** How a model goes on with a broken answer where neither the file nor the preset says it. Absent, or null: nobody knows. */
  readonly continues?: (canonicalModel: string) => ContinuationWay | null;
  write(request: HubRequest, target: WriteTarget): WrittenRequest;
  /** Tells a whole answer to the sink. `fail` is called for an error object or what is no answer. */
  readAnswer(body: Buffer, preset: Pick<ProviderPreset, "markers">, sink: HubSink): void;
  /** Server-sent events when absent. */
  readonly decoder?: DecoderOf;
  reader(sink: HubSink, preset: Pick<ProviderPreset, "markers">): EventReader;
  /** A body of this dialect, changed to go on after what was sent: see `ClientDialect.continueRequest`. */
  continueRequest(body: Buffer, sent: SentAnswer, continuation: Continuation | null): Buffer;
  /** An error in the middle of a stream that came as a body instead of events. */
  classifyError?(value: unknown, preset: Pick<ProviderPreset, "markers">): Failure | null;
}

/** Writes an answer in a client's dialect, from the hub's. One per answer. */
export interface AnswerWriter extends HubSink {
  /** The whole answer as one JSON document. Only after `finish`. */
  toBody(): Buffer;
}

/** Writes a stream in a client's dialect. Every call of the sink adds to `out` what the client is to get for it. One per stream. */
export interface EventWriter extends HubSink {
  /**
   * What its stream began with, for `SentAnswer.head`: whoever goes on with the stream writes as the same answer. Null before the
   * first event. A writer that goes on after `sent` has `sent.head`.
   */
  readonly head: JsonObject | null;
  /** What was written since it was last taken; empties it. Whole events only. */
  take(): readonly Buffer[];
  /** What is left to say at a good end, with the dialect's terminator. */
  end(): Buffer;
}

/** What a writer needs to know of the request that its answer is for. */
export interface WriteContext {
  /** The client asked for a usage chunk in its stream (`stream_options.include_usage`). */
  readonly wantsUsage: boolean;
  /** For dialects whose answers have a made-up id when the provider gave none. Unique in the process. */
  readonly makeId: () => string;
  /** Seconds since 1970. */
  readonly created: number;
  /** The name that stands in the answer: the provider's own where null. */
  readonly reportModel: string | null;
  /** The provider's id for the model, for where its answers name none. */
  readonly model: string;
  /** The request's body, for dialects whose answers repeat parts of it (`openai-responses`). */
  readonly request: Buffer;
}

/** What an earlier stream of an answer has told the client already, and how the writer's stream goes on after it. */
export interface WrittenBefore {
  /** Read when the writer is made and not kept: it changes while the writer writes. */
  readonly sent: SentAnswer;
  /** With `anew`, a thought that broke off is not the one that goes on. */
  readonly mode: CompletionMode;
}

/** How a dialect is spoken by a client. */
export interface ClientCodec {
  readonly dialect: Dialect;
  /**
   * From a body that `ClientDialect.read` accepted, as `ReadRequest.encode` gives it: without what was for the gateway, and with any
   * model. An error says what of it can't be carried to another dialect, and where it stands.
   */
  toHub(body: Buffer): HubRequest | ClientError;
  answerWriter(context: WriteContext): AnswerWriter;
  /** A part of its streams is whole once the next one begins, so its event writers are told one part after the other: see `InTurn`. */
  readonly inTurn: boolean;
  /** @param after null: the stream begins */
  eventWriter(context: WriteContext, after: WrittenBefore | null): EventWriter;
}
