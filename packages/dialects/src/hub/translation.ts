import type { ClientError, Dialect } from "@tuloy/contract";

import type { Continuation } from "../providers/continuation.ts";
import type { Endpoint } from "../providers/preset.ts";
import type { ReadRequest } from "../request.ts";
import type { ClientCodec, UpstreamCodec, WriteTarget } from "./codec.ts";
import { findInParts } from "./parts.ts";
import type { HubPart, HubRequest, HubSource } from "./request.ts";

/** Dialects whose providers keep files under the same ids. */
const sameFiles: readonly (readonly Dialect[])[] = [["openai-chat", "openai-responses"]];

/**
 * Where a last message of the assistant's is the beginning of the answer, if the model does so. All others take it for a finished
 * turn, and begin anew.
 */
const begunAnswers: ReadonlySet<Dialect> = new Set<Dialect>(["anthropic-messages", "bedrock-converse"]);

const plainName = /^[a-zA-Z0-9_-]+$/;

/** Where a request is to go. */
interface Place {
  /** Null: unknown. */
  readonly endpoint: Endpoint | null;
  /** By the names under which it may be known, the canonical one and the provider's. */
  readonly model: readonly string[];
  /** How the deployment is known to go on in OpenAI's chat dialect. Absent, or null: nobody knows, or not at all. */
  readonly continuation?: Continuation | null;
}

/**
 * One client's request on its way into other dialects. The hub's form of it is made when it is first needed, and once, however
 * many deployments it is written for.
 */
export class Translation {
  readonly #request: ReadRequest;
  readonly #codec: ClientCodec;
  #hub: HubRequest | ClientError | null = null;
  /** By dialect. */
  readonly #obstacles = new Map<Dialect, string | null>();
  /** By deployment. */
  readonly #notes = new Map<string, readonly string[]>();

  constructor(request: ReadRequest, codec: ClientCodec) {
    this.#request = request;
    this.#codec = codec;
  }

  /** The request's own body, without what was for the gateway. Made anew each time: few need it, and it may be large. */
  get body(): Buffer {
    return this.#request.encode("", { streamUsage: false });
  }

  /** Why this request can't be said to a deployment, in words; null: it can. */
  obstacle(codec: UpstreamCodec, place: Place): string | null {
    let obstacle = this.#obstacles.get(codec.dialect);
    if (obstacle === undefined) this.#obstacles.set(codec.dialect, (obstacle = this.#findObstacle(codec)));
    return obstacle ?? this.#obstacleAt(codec, place);
  }

  /**
   * The body for a deployment. Only where there is no obstacle.
   * @param deployment its id, for the notes
   */
  write(codec: UpstreamCodec, target: WriteTarget, deployment: string): Buffer {
    const hub = this.#told();
    if ("code" in hub) throw new Error(`a request that can't be translated was to be written: ${hub.message}`);
    const { continuation: _, ...plain } = target;
    const { body, notes } = codec.write(hub, this.#isBegun(hub) ? target : plain);
    const left = hub.left.map((what) => `${what} was left out: the deployment speaks ${codec.dialect}`);
    const all = [...left, ...notes];
    this.#notes.set(deployment, all);
    return body;
  }

  /** What a deployment was not told as the client said it; null: nothing was written for it. */
  notes(deployment: string): readonly string[] | null {
    return this.#notes.get(deployment) ?? null;
  }

  /** What no dialect's words are at fault for, but who is spoken to. */
  #obstacleAt({ dialect, continues }: UpstreamCodec, { endpoint, model, continuation = null }: Place): string | null {
    const hub = this.#told();
    if ("code" in hub) return null;
    if (this.#isBegun(hub)) {
      // What is answered would be put behind a beginning that it does not go on from.
      if (!begunAnswers.has(dialect) && (dialect !== "openai-chat" || !takesBeginnings(continuation)))
        return `the request begins the answer with its last message, and this deployment speaks ${dialect}, in which it is not known to go on from there`;
      if (begunAnswers.has(dialect) && model.every((name) => continues?.(name) === "none"))
        return "the request begins the answer with its last message, and this deployment's model does not go on from there";
    }
    const longest = endpoint?.longestToolName;
    if (longest === undefined) return null;
    const strange = hub.tools.find(({ name }) => name.length > longest || !plainName.test(name));
    return strange === undefined
      ? null
      : `this deployment takes only tools whose names are at most ${longest} letters, digits, _ and -, unlike ${strange.name.slice(0, 60)}`;
  }

  #isBegun(hub: HubRequest): boolean {
    return begunAnswers.has(this.#codec.dialect) && isBegun(hub);
  }

  #told(): HubRequest | ClientError {
    return (this.#hub ??= this.#codec.toHub(this.body));
  }

  #findObstacle(codec: UpstreamCodec): string | null {
    const hub = this.#told();
    if ("code" in hub) return `the request can't be put into another dialect: ${hub.message}`;
    if (findInParts(hub.messages, (part) => keptElsewhere(part, codec.dialect)) !== null) {
      return `the request holds a file that is kept at a provider of another dialect, and this deployment speaks ${codec.dialect}`;
    }
    const own = codec.obstacle?.(hub) ?? null;
    return own === null ? null : `this deployment speaks ${codec.dialect}, which ${own}`;
  }
}

/** Ways that need no more than members of the request: no other address, and nothing to be taken out of the answer. */
function takesBeginnings(continuation: Continuation | null): boolean {
  return continuation !== null && continuation.basePath === null && !continuation.echoes;
}

function isBegun({ messages }: HubRequest): boolean {
  const last = messages.at(-1);
  return last?.role === "assistant" && last.parts.some(({ kind }) => kind === "text");
}

/** @returns the part, where it is kept at a provider of another dialect */
function keptElsewhere(part: HubPart, dialect: Dialect): HubPart | null {
  const source = sourceOf(part);
  return source?.at === "id" && source.dialect !== dialect && !shareFiles(source.dialect, dialect) ? part : null;
}

function sourceOf(part: HubPart): HubSource | null {
  return part.kind === "image" || part.kind === "file" || part.kind === "audio" ? part.source : null;
}

function shareFiles(one: Dialect, other: Dialect): boolean {
  return sameFiles.some((dialects) => dialects.includes(one) && dialects.includes(other));
}

/** Beside the requests and not on them: nearly none is ever translated. */
const translations = new WeakMap<ReadRequest, Translation>();

/** The translation of a request, the same whenever it is asked for. */
export function translationOf(request: ReadRequest, codec: ClientCodec): Translation {
  let translation = translations.get(request);
  if (translation === undefined) translations.set(request, (translation = new Translation(request, codec)));
  return translation;
}

/** Whether anybody was to be told the request in another dialect. */
export function isTranslated(request: ReadRequest): boolean {
  return translations.has(request);
}

/** What of a request a deployment was not told as the client said it, in words; null: it was not translated for it. */
export function translatedNotes(request: ReadRequest, deployment: string): readonly string[] | null {
  return translations.get(request)?.notes(deployment) ?? null;
}
