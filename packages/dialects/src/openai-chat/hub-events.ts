import { classifyErrorEvent, classifyErrorObject } from "../failure/classify.ts";
import type { HubSink } from "../hub/answer.ts";
import type { EventReader } from "../hub/codec.ts";
import { isObject, parseJson, text, type JsonObject } from "../json/value.ts";
import type { ProviderPreset } from "../providers/preset.ts";
import { failedFinishes, hubFinish } from "./finish.ts";
import { tellContent } from "./hub-answer.ts";
import { readCallProof } from "./opaque.ts";
import { readUsage } from "./usage.ts";

/** One call as it comes in pieces. */
interface OpenCall {
  /** Its number in the hub. */
  readonly call: number;
  readonly id: string;
}

/** Understands `chat.completion.chunk` events. Of several choices the first is told. */
export class ChatEventReader implements EventReader {
  done = false;
  finished = false;
  readonly #sink: HubSink;
  readonly #preset: Pick<ProviderPreset, "markers">;
  #begun = false;
  #refused = false;
  /** By the provider's own index. */
  readonly #calls = new Map<number, OpenCall>();
  #told = 0;

  constructor(sink: HubSink, preset: Pick<ProviderPreset, "markers">) {
    this.#sink = sink;
    this.#preset = preset;
  }

  event(name: string, data: string): boolean {
    if (data === "[DONE]") {
      this.done = true;
      return true;
    }
    if (name === "error") {
      this.#sink.fail(classifyErrorEvent(data, this.#preset));
      return false;
    }
    const chunk = parseJson(data);
    if (!isObject(chunk)) return false;
    const { choices } = chunk;
    if (!Array.isArray(choices) || (chunk.error !== undefined && chunk.error !== null) || chunk.object === "error") {
      const failure = classifyErrorObject(chunk, this.#preset);
      if (failure !== null) {
        this.#sink.fail(failure);
        return false;
      }
    }
    if (Array.isArray(choices)) {
      if (!this.#begun) {
        this.#begun = true;
        this.#sink.begin(text(chunk.id), text(chunk.model));
      }
      for (const choice of choices) if (isObject(choice)) this.#choice(choice);
    }
    if (chunk.usage !== undefined && chunk.usage !== null) {
      const usage = readUsage(chunk.usage);
      if (usage !== null) this.#sink.usage(usage);
    }
    return true;
  }

  #choice(choice: JsonObject): void {
    if (typeof choice.index === "number" && choice.index !== 0) return;
    const { delta } = choice;
    if (isObject(delta)) {
      const { content } = delta;
      // Nearly every delta is a piece of text and nothing else.
      if (typeof content === "string" && content !== "" && !("reasoning_content" in delta) && !("reasoning" in delta)) {
        this.#sink.text(content);
        if (delta.refusal !== undefined || delta.annotations !== undefined || delta.reasoning_details !== undefined)
          this.#rest(delta);
      } else {
        this.#rest(delta, content);
      }
      if (Array.isArray(delta.tool_calls)) this.#callPieces(delta.tool_calls);
    }
    const reason = text(choice.finish_reason);
    if (reason !== null) this.#finish(reason);
  }

  #rest(delta: JsonObject, content: unknown = null): void {
    tellContent({ ...delta, content }, this.#sink);
    if (text(delta.refusal) !== null) this.#refused = true;
  }

  #finish(reason: string): void {
    const failed = failedFinishes.get(reason);
    if (failed !== undefined) {
      const why = `the answer ended with finish_reason ${reason}`;
      this.#sink.fail({ class: failed, reason: why, status: 200, code: null, retryAfterMs: null });
      return;
    }
    this.finished = true;
    this.#sink.finish(hubFinish(reason, this.#told, this.#refused), null);
  }

  #callPieces(pieces: readonly unknown[]): void {
    for (const [position, piece] of pieces.entries()) {
      const made = isObject(piece) && isObject(piece.function) ? piece.function : null;
      if (!isObject(piece) || made === null) {
        this.#sink.left("a call that is no function's was left out");
        continue;
      }
      const index = typeof piece.index === "number" ? piece.index : position;
      const id = text(piece.id);
      const name = text(made.name);
      let open = this.#calls.get(index);
      // Some servers give every call the index 0, and each its own id and name.
      if (open === undefined || (id !== null && name !== null && id !== open.id)) {
        open = { call: this.#told++, id: id ?? "" };
        this.#calls.set(index, open);
        this.#sink.toolCall(open.call, open.id, name ?? "", readCallProof(piece.extra_content));
      }
      const json = text(made.arguments);
      if (json !== null) this.#sink.toolArguments(open.call, json);
    }
  }
}
