import type { Failure, Usage } from "@tuloy/contract";

import type { Opaque } from "./request.ts";

/**
 * Why an answer ended. `refusal`: the model declined; `content_filter`: the provider cut it; `pause`: the provider wants to be
 * asked to go on (Anthropic's `pause_turn`).
 */
export type HubFinish = "stop" | "length" | "tool_calls" | "content_filter" | "refusal" | "pause";

/**
 * Receives an answer part by part, in order: a whole one or a stream, it is the same. A part goes on until one of another kind
 * begins. Arguments are positional and nothing is allocated per event: this is called for every token.
 */
export interface HubSink {
  /** Once, before everything else: the provider's id for the answer (null: it has none) and its name for the model. */
  begin(id: string | null, model: string | null): void;
  text(text: string): void;
  /** Reasoning, or a summary of it, that the provider shows. */
  thought(text: string): void;
  /** The end of a thought that came before, or one that shows nothing: what its maker wants back in the next turn. */
  thoughtOpaque(opaque: Opaque, redacted: boolean, id: string | null): void;
  refusal(text: string): void;
  /**
   * A call begins; `call` counts from 0. A writer whose dialect knows no id makes one.
   * @param opaque see `HubToolCall`
   */
  toolCall(call: number, id: string, name: string, opaque: Opaque | null): void;
  /** The next piece of a call's arguments, as JSON text. */
  toolArguments(call: number, json: string): void;
  /**
   * The provider does something itself, as a tool that it runs: nothing to show, but it may not be done twice. Who only writes has
   * no use for it.
   */
  acts?(): void;
  /** All counts so far; a later call replaces it. */
  usage(usage: Usage): void;
  /** The model has ended. Usage may still follow. */
  finish(reason: HubFinish, stopSequence: string | null): void;
  /** The provider says that it failed, or what it sent is nothing of its dialect. Nothing follows. */
  fail(failure: Failure): void;
  /** Something of the answer that the hub has no place for, in words for the trace: `citations were left out`. */
  left(what: string): void;
}
