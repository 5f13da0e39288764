import type { Failure } from "@tuloy/contract";

import { classifyErrorObject } from "../failure/classify.ts";
import { cleanReason } from "../failure/reason.ts";
import type { HubSink } from "../hub/answer.ts";
import { isObject, text, type JsonObject } from "../json/value.ts";
import type { FailureMarker } from "../providers/preset.ts";
import { endOf, notFinished } from "./finish.ts";
import { signatureFrom } from "./signature.ts";
import { readUsage } from "./usage.ts";

/** What a reader is told of the provider. */
export interface ResponsePreset {
  readonly markers: readonly FailureMarker[];
  /** What signatures are bound to; absent where nobody knows. */
  readonly kind?: string;
}

/** Parts that only other requests ask for. */
const unplaced: readonly (readonly [member: string, what: string])[] = [
  ["inlineData", "media"],
  ["fileData", "a file"],
  ["executableCode", "code that was run"],
  ["codeExecutionResult", "the result of code that was run"],
  ["toolCall", "a call of the server's own tools"],
  ["toolResponse", "a result of the server's own tools"],
];

/** Tells a `GenerateContentResponse` to a sink: a whole answer is one of them, a stream one after the other. */
export class ResponseTeller {
  readonly #sink: HubSink;
  readonly #preset: ResponsePreset;
  #begun = false;
  #calls = 0;
  #id = "";
  /** A reason to end was told. */
  finished = false;
  #failed = false;

  constructor(sink: HubSink, preset: ResponsePreset) {
    this.#sink = sink;
    this.#preset = preset;
  }

  /** Nothing of worth follows: a reason to end was told, or a failure. */
  get ended(): boolean {
    return this.finished || this.#failed;
  }

  /** @returns false for what is no response of this dialect */
  tell(response: JsonObject): boolean {
    const { candidates, promptFeedback, usageMetadata } = response;
    if (!Array.isArray(candidates) && promptFeedback === undefined && usageMetadata === undefined) {
      const failure = classifyErrorObject(response, this.#preset);
      if (failure !== null) this.#fail(failure);
      return failure !== null;
    }
    if (!this.#begun) this.#begin(response);
    const candidate: unknown = Array.isArray(candidates) ? candidates[0] : undefined;
    if (isObject(candidate)) this.#candidate(candidate);
    const usage = readUsage(usageMetadata);
    if (usage !== null) this.#sink.usage(usage);
    if (isObject(candidate)) this.#end(candidate);
    if (isObject(promptFeedback)) this.#blocked(promptFeedback);
    return true;
  }

  #begin(response: JsonObject): void {
    this.#begun = true;
    const id = text(response.responseId);
    this.#id = id?.replaceAll(/[^a-zA-Z0-9_-]/g, "") ?? "";
    this.#sink.begin(id, text(response.modelVersion));
  }

  #candidate({ content, citationMetadata, groundingMetadata }: JsonObject): void {
    if (isObject(content) && Array.isArray(content.parts)) {
      for (const part of content.parts) if (isObject(part)) this.#part(part);
    }
    if (citationMetadata !== undefined || groundingMetadata !== undefined) this.#sink.left("citations were left out");
  }

  #part(part: JsonObject): void {
    const said = part.text;
    const signature = text(part.thoughtSignature);
    if (isObject(part.functionCall)) {
      this.#call(part.functionCall, signature);
      return;
    }
    if (typeof said === "string") {
      if (said !== "") {
        if (part.thought === true) this.#sink.thought(said);
        else this.#sink.text(said);
      }
    } else {
      const found = unplaced.find(([member]) => member in part);
      if (found !== undefined) this.#sink.left(`${found[1]} was left out`);
    }
    if (signature !== null) this.#sink.thoughtOpaque(signatureFrom(signature, this.#preset.kind), false, null);
  }

  /** A call comes whole, in one event. */
  #call({ id, name, args }: JsonObject, signature: string | null): void {
    const call = this.#calls++;
    const json = JSON.stringify(isObject(args) ? args : {});
    const called = text(name) ?? "";
    this.#sink.toolCall(
      call,
      text(id) ?? this.#makeId(call, called + json),
      called,
      signature === null ? null : signatureFrom(signature, this.#preset.kind),
    );
    this.#sink.toolArguments(call, json);
  }

  /**
   * An id for a call that has none, as before Gemini 3. Clients find a result's call by it in the whole conversation, so the
   * answer's id is in it.
   */
  #makeId(call: number, content: string): string {
    return `call_${this.#id === "" ? digest(content) : this.#id}_${call}`;
  }

  #end({ finishReason }: JsonObject): void {
    const reason = text(finishReason);
    if (reason === null || reason === notFinished || this.ended) return;
    const end = endOf(reason);
    if (end === "broken") {
      // Not its finishMessage, which quotes the answer.
      this.#fail({
        class: "garbled",
        reason: cleanReason(`the answer ended with ${reason}`),
        status: 200,
        code: cleanReason(reason),
        retryAfterMs: null,
      });
      return;
    }
    this.finished = true;
    if (end === null)
      this.#sink.left(cleanReason(`the finish reason ${reason} is not known, and was taken for a plain end`));
    else if (end === "content_filter") this.#sink.left(cleanReason(`the provider's filter cut the answer: ${reason}`));
    this.#sink.finish((end ?? "stop") === "stop" && this.#calls > 0 ? "tool_calls" : (end ?? "stop"), null);
  }

  /** The prompt itself was refused: there is no candidate then. An answer without content, as other filters give. */
  #blocked({ blockReason }: JsonObject): void {
    const reason = text(blockReason);
    if (reason === null || this.ended) return;
    this.finished = true;
    this.#sink.left(cleanReason(`the provider's filter refused the prompt: ${reason}`));
    this.#sink.finish("content_filter", null);
  }

  #fail(failure: Failure): void {
    this.#failed = true;
    this.#sink.fail(failure);
  }
}

/** FNV-1a, 32 bit: the same call has the same id. */
function digest(content: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < content.length; at++) hash = Math.imul(hash ^ content.charCodeAt(at), 0x01000193);
  return (hash >>> 0).toString(36);
}
