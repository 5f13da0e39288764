import type { Capability, ClientError, Dialect, Operation, ParameterUse, RoutingOverrides } from "@tuloy/contract";

import type { ParameterTarget } from "./parameters/translate.ts";
import type { ProviderPreset } from "./providers/preset.ts";

/** What routing needs to know about a request, read once. Holds no prompt text. */
export interface RequestFacts extends ParameterUse {
  readonly stream: boolean;
  /** The client asked for a usage chunk in its stream. When it did not, ours is asked for and taken out again. */
  readonly wantsUsage: boolean;
  /** How many answers at once the client asked for, 1 or more. */
  readonly choices: number;
  readonly capabilities: readonly Capability[];
  /** All input, estimated from its bytes: for prices and quotas. */
  readonly inputTokens: number;
  /**
   * What must fit into the context at once. The same as `inputTokens`, except that a batch of embeddings is limited by its
   * largest input and not by their sum.
   */
  readonly contextTokens: number;
  /** What the client limits the answer to; null when it set no limit, 0 where nothing is generated. */
  readonly maxOutputTokens: number | null;
  /** The client asked for much reasoning, so the first token takes longer. */
  readonly highEffort: boolean;
  /** What the body says of routing; null: nothing, which is the common case. */
  readonly overrides: RoutingOverrides | null;
  /** The session that the body names, or null. */
  readonly session: string | null;
  /** What keeps it from being translated; absent or null: nothing. */
  readonly bound?: Bound | null;
  /** The first thing it names that is stored in a provider's account. Null or absent: nothing, or nobody wanted to know. */
  readonly stored?: StoredId | null;
}

/** The name of something that lies in a provider's account, for whoever knows the name. */
export interface StoredId {
  /** Where it stands: `input[0].content[1].file_id`. */
  readonly param: string;
  /** What it is, in words: `a file`. */
  readonly what: string;
}

/** What of a request only a deployment that speaks the client's own dialect can do. */
export interface Bound {
  /** Where it stands: `tools[0]`. */
  readonly param: string;
  /** In words, to go on after "the request": `uses the tool web_search, which only this API has`. */
  readonly why: string;
  /** The ids of what the request goes on from, each kept by one provider only: of responses, of items, of a conversation. */
  readonly kept: readonly string[];
  /** Which of these is a conversation's, which may have been made at its provider, unseen; null: none. */
  readonly conversation: string | null;
}

/** What of a chat request's messages is more than who said what: providers differ in what of it they take. */
export interface MessageTraits {
  /** Names of their members, other than `role` and `content`. */
  readonly members: ReadonlySet<string>;
  /** Names of members of their calls, other than `id`, `type` and `function`. */
  readonly callMembers: ReadonlySet<string>;
  /** Names of members of their content's parts, other than `type` and `text`. */
  readonly partMembers: ReadonlySet<string>;
  /** Of the ids of their calls and results, in UTF-16 units; 0 where there are none. */
  readonly longestCallId: number;
}

/** A valid request of a client. */
export interface ReadRequest {
  readonly operation: Operation;
  readonly dialect: Dialect;
  /** As the client wrote it, in `model` or, where that is absent, first in `models`. */
  readonly model: string;
  readonly facts: RequestFacts;
  /** What of it no deployment of its own dialect is told, in words. Absent: nothing is kept back. */
  readonly withheld?: readonly string[];
  /** Only how long the prompt is was asked: nothing is generated. Absent: an answer is asked for. */
  readonly counts?: true;
  /** Null: they hold nothing but texts, as nearly all do. Absent: nobody has looked, or there are none. */
  readonly messageTraits?: MessageTraits | null;
  /**
   * The body for one deployment: the client's bytes without what was for the gateway, and with only the model, the parameters that
   * `target` takes otherwise and, for streams, the wish for usage changed. The client's own Buffer when nothing has to change.
   * @param target null: every parameter goes as it came
   */
  encode(upstreamModel: string, preset: Pick<ProviderPreset, "streamUsage">, target?: ParameterTarget | null): Buffer;
  /** What `encode` says otherwise than the client did, in words. */
  notes(target: ParameterTarget): readonly string[];
}

/** Tells the two results of reading a request apart. */
export function isReadRequest(result: ReadRequest | ClientError): result is ReadRequest {
  return "encode" in result;
}
