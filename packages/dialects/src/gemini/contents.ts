import type { HubMessage, HubPart, HubRequest, HubThought, HubToolCall, HubToolResult } from "../hub/request.ts";
import { joined } from "../hub/joined.ts";
import { refusalAsText } from "../hub/parts.ts";
import { isObject, parseJson, type JsonObject } from "../json/value.ts";
import { thirdGeneration } from "./family.ts";
import { mediaPart } from "./media.ts";
import { signatureFor, unsignedCall } from "./signature.ts";

export interface Content {
  readonly role: "user" | "model";
  readonly parts: GeminiPart[];
}

type GeminiPart = Record<string, unknown>;

export interface ContentsTarget {
  readonly generation: number;
  /** The provider's kind, which signatures are bound to. */
  readonly kind: string;
  /** Told what could not be said. Saying it twice is harmless. */
  readonly note: (text: string) => void;
}

/**
 * The conversation as Gemini takes it. Neighbours of one role are one content, since the calls of a turn belong together; but the
 * results of calls stand alone, as many as there were calls (https://ai.google.dev/gemini-api/docs/function-calling).
 */
export function contentsOf({ messages }: Pick<HubRequest, "messages">, target: ContentsTarget): Content[] {
  const builder = new Contents(target);
  for (const message of messages) builder.add(message);
  return builder.contents;
}

class Contents {
  readonly contents: Content[] = [];
  readonly #target: ContentsTarget;
  /** Names of the calls so far, by their ids. */
  readonly #names = new Map<string, string>();
  /** The last content holds results of calls, and nothing else may be put there. */
  #results = false;
  /** The part of this message that a signature without a place of its own may stand on. */
  #bare: GeminiPart | null = null;
  /** A signature that waits for the part that it stands on. */
  #pending: string | null = null;

  constructor(target: ContentsTarget) {
    this.#target = target;
  }

  add({ role, parts }: HubMessage): void {
    if (role === "assistant") {
      this.#bare = null;
      for (const part of parts) this.#answered(part);
      this.#place();
      this.#sign();
    } else {
      // Results first: what is said besides would stand between a call and its result.
      for (const part of parts) if (part.kind === "tool_result") this.#result(part);
      for (const part of parts) if (part.kind !== "tool_result") this.#said(part);
    }
  }

  #put(role: Content["role"], part: GeminiPart, result = false): void {
    const last = this.contents.at(-1);
    if (last?.role === role && this.#results === result) last.parts.push(part);
    else this.contents.push({ role, parts: [part] });
    this.#results = result;
  }

  #said(part: HubPart): void {
    if (part.kind === "text") {
      // Vertex AI refuses a text that is empty.
      if (part.text !== "") this.#put("user", { text: part.text });
    } else if (part.kind === "image" || part.kind === "file" || part.kind === "audio") {
      this.#put("user", { ...mediaPart(part, this.#target.note) });
    } else {
      this.#target.note(`a user's message held ${words[part.kind] ?? part.kind}, which was left out`);
    }
  }

  #answered(part: HubPart): void {
    if (part.kind === "refusal") this.#target.note(refusalAsText);
    if (part.kind === "text" || part.kind === "refusal") {
      if (part.text !== "") this.#model({ text: part.text }, null);
    } else if (part.kind === "thought") this.#thought(part);
    else if (part.kind === "tool_call") this.#call(part);
    else if (part.kind === "tool_result") this.#result(part);
    else this.#put("model", { ...mediaPart(part, this.#target.note) });
  }

  /** Puts a part of an answer, with its own signature or else with one that waits. */
  #model(part: GeminiPart, own: string | null): void {
    const thoughtSignature = own ?? this.#pending;
    if (own === null) this.#pending = null;
    if (thoughtSignature !== null) part.thoughtSignature = thoughtSignature;
    this.#bare = thoughtSignature === null && "text" in part ? part : null;
    this.#put("model", part);
  }

  /**
   * A signature came on a text or on a call, but clients keep it as a thought's, before or after what it came on. What Gemini shows
   * of a thought has none.
   */
  #thought({ text, opaque }: HubThought): void {
    const signature = signatureFor(opaque, this.#target.kind);
    if (signature === null) {
      this.#target.note("reasoning of earlier turns was left out: only who made it takes it back");
      return;
    }
    this.#place();
    if (text !== "") this.#put("model", { text, thought: true });
    this.#pending = signature;
  }

  /** Nothing came that the signature could stand on, so it stands on what came before, or on an empty text as in a stream. */
  #place(): void {
    const thoughtSignature = this.#pending;
    if (thoughtSignature === null) return;
    this.#pending = null;
    if (this.#bare !== null) this.#bare.thoughtSignature = thoughtSignature;
    else this.#put("model", { text: "", thoughtSignature });
    this.#bare = null;
  }

  #call({ id, name, arguments: json, opaque }: HubToolCall): void {
    this.#names.set(id, name);
    const args = parseJson(json);
    if (!isObject(args) && json.trim() !== "") {
      this.#target.note("a call's arguments were no JSON object, and were sent as text");
    }
    const functionCall = {
      ...this.#id(id),
      name,
      args: isObject(args) ? args : json.trim() === "" ? {} : { arguments: json },
    };
    this.#model({ functionCall }, signatureFor(opaque, this.#target.kind));
  }

  /** Of the calls of one step only the first is signed. Gemini 3 refuses a step whose first one is not. */
  #sign(): void {
    const last = this.contents.at(-1);
    if (this.#target.generation < thirdGeneration || last?.role !== "model") return;
    const first = last.parts.find((part) => "functionCall" in part);
    if (first !== undefined && !("thoughtSignature" in first)) first.thoughtSignature = unsignedCall;
  }

  #result({ callId, name, parts, isError }: HubToolResult): void {
    const text: string[] = [];
    const media: GeminiPart[] = [];
    for (const part of parts) {
      if (part.kind === "text") text.push(part.text);
      else if (part.kind === "image" || part.kind === "file") media.push({ ...mediaPart(part, this.#target.note) });
      else this.#target.note(`a tool's result held ${words[part.kind] ?? part.kind}, which was left out`);
    }
    const within = this.#target.generation >= thirdGeneration && media.length > 0;
    const response: JsonObject = { [isError ? "error" : "output"]: joined(text, this.#target.note) };
    this.#put(
      "user",
      {
        functionResponse: {
          ...this.#id(callId),
          name: name ?? this.#names.get(callId) ?? callId,
          // As text, even where it is JSON: numbers beyond a double's precision would change on the way.
          response,
          ...(within ? { parts: media } : {}),
        },
      },
      true,
    );
    // Older models take media beside the results only.
    if (!within) for (const part of media) this.#put("user", part);
  }

  /** Since Gemini 3 calls have ids, and their results name them; before, results are matched by name and order. */
  #id(id: string): { readonly id?: string } {
    return this.#target.generation >= thirdGeneration ? { id } : {};
  }
}

const words: Readonly<Partial<Record<HubPart["kind"], string>>> = {
  thought: "reasoning",
  tool_call: "a call",
  tool_result: "a tool's result",
  refusal: "a refusal",
  audio: "sound",
};
