import type { Failure, Usage } from "@tuloy/contract";

import type { Resume } from "./completion/completion.ts";
import type { SentAnswer } from "./completion/sent.ts";
import type { JsonObject } from "./json/value.ts";
import type { ProviderPreset } from "./providers/preset.ts";

export interface WatchOptions {
  /** The client asked for a usage chunk; otherwise it is taken out of the stream. */
  readonly wantsUsage: boolean;
  /** How many choices the client asked for, 1 or more. */
  readonly choices: number;
  readonly preset: Pick<ProviderPreset, "markers">;
  /** The upstream's `content-type`, or null when it sent none. */
  readonly contentType: string | null;
  /** Keep what is sent, so that another deployment can complete it. */
  readonly keep?: boolean;
  /** The stream completes one that broke: what was sent before is taken out of it. */
  readonly resume?: Resume | undefined;
  /** Bytes that one event may have; 8 MB when absent. */
  readonly maxEventBytes?: number;
}

/** How a stream ended. */
export type StreamEnd =
  | {
      readonly ok: true;
      /** The terminator, held back until now so that it never follows an error. */
      readonly trailer: Buffer;
    }
  | {
      readonly ok: false;
      readonly failure: Failure;
      /** With `empty`: what would close the stream, in case nobody has a better answer. */
      readonly trailer?: Buffer;
    };

/**
 * Watches one upstream stream while its bytes pass. After each `push`, `forward` and `progress` are about that chunk only,
 * everything else about the stream so far. One watch per attempt: a second attempt inherits nothing.
 */
export interface StreamWatch {
  /** Takes the next bytes. The chunk must not be changed afterwards: `forward` holds parts of it. */
  push(chunk: Buffer): void;
  /** What may go to the client from the last chunk, in order; always whole events and comments. A good chunk is forwarded as itself. */
  readonly forward: readonly Buffer[];
  /** The last chunk held content (text, reasoning, a refusal, a tool call). Comments, pings and roles are none. */
  readonly progress: boolean;
  /** The stream has held content: from here on it cannot be replaced unseen. */
  readonly committed: boolean;
  /** Set once and for good: an error event, or something that is no stream. What came before it may still be in `forward`. */
  readonly failure: Failure | null;
  /** The dialect's own terminator was seen: nothing more will come. */
  readonly done: boolean;
  /**
   * Every choice seen has finished, and at least as many as the client asked for: all content is here, whether or not the
   * terminator still comes.
   */
  readonly complete: boolean;
  readonly usage: Usage | null;
  /** Characters of generated content so far, to estimate what a client that leaves early has used. */
  readonly textLength: number;
  /** What was forwarded, with `keep` and `resume`; null otherwise. */
  readonly sent: SentAnswer | null;
  /** What the client's stream began with, in a dialect that says it of its own streams; null or absent: nothing is known. */
  readonly head?: JsonObject | null;
  /** Oddities for the trace. */
  readonly notes: readonly string[];
  /**
   * Judges the stream once the upstream has ended cleanly or `done` is set. `ok` without `committed` is possible (all
   * output was hidden reasoning): the bytes held back until then are the answer.
   */
  end(): StreamEnd;
}
