import type { EventReader } from "../hub/codec.ts";
import type { HubSink } from "../hub/answer.ts";
import { isObject, parseJson, text, type JsonObject } from "../json/value.ts";
import type { ProviderPreset } from "../providers/preset.ts";
import { BlockTeller } from "./blocks.ts";
import { exceptionFailure } from "./errors.ts";
import { exceptionPrefix } from "./event-stream.ts";
import { readUsage } from "./usage.ts";

/**
 * Reads the events of ConverseStream (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html).
 * `metadata` with the usage comes last.
 */
export class ConverseReader implements EventReader {
  readonly #sink: HubSink;
  readonly #preset: Pick<ProviderPreset, "markers">;
  readonly #blocks: BlockTeller;
  #openBlock = -1;
  #begun = false;
  #failed = false;
  finished = false;
  done = false;

  constructor(sink: HubSink, preset: Pick<ProviderPreset, "markers">) {
    this.#sink = sink;
    this.#preset = preset;
    this.#blocks = new BlockTeller(sink);
  }

  event(name: string, data: string): boolean {
    if (this.#failed) return false;
    if (name.startsWith(exceptionPrefix)) {
      this.#failed = true;
      this.#sink.fail(exceptionFailure(name.slice(exceptionPrefix.length), data, this.#preset));
      return true;
    }
    const value = parseJson(data);
    if (!isObject(value)) return false;
    // Some servers leave out the start.
    if (!this.#begun) {
      this.#begun = true;
      this.#sink.begin(null, null);
    }
    switch (name) {
      case "contentBlockDelta":
        return this.#delta(blockOf(value), value.delta);
      case "contentBlockStart":
        return this.#start(blockOf(value), value.start);
      case "contentBlockStop":
        this.#blocks.end(blockOf(value));
        this.#openBlock = -1;
        return true;
      case "messageStart":
        return true;
      case "messageStop":
        return this.#stop(value);
      case "metadata":
        this.#metadata(value);
        return true;
      default:
        return false;
    }
  }

  #start(block: number, start: unknown): boolean {
    this.#open(block);
    if (!isObject(start)) return true;
    if (isObject(start.toolUse)) this.#blocks.call(block, start.toolUse);
    else if (start.toolResult !== undefined) this.#blocks.left("a result of a tool at the provider");
    else if (start.image !== undefined) this.#blocks.left("an image");
    return true;
  }

  #delta(block: number, delta: unknown): boolean {
    if (!isObject(delta)) return false;
    // A block of text has no start of its own.
    if (block !== this.#openBlock) this.#open(block);
    if (typeof delta.text === "string") this.#blocks.text(delta.text);
    else if (isObject(delta.toolUse)) {
      if (typeof delta.toolUse.input === "string") this.#blocks.callInput(block, delta.toolUse.input);
    } else if (isObject(delta.reasoningContent)) this.#reasoning(delta.reasoningContent);
    else if (delta.citation !== undefined) this.#blocks.left("a citation");
    return true;
  }

  #reasoning({ text: said, signature, redactedContent }: JsonObject): void {
    if (typeof said === "string") this.#blocks.thought(said);
    if (typeof signature === "string") this.#blocks.signature(signature);
    if (typeof redactedContent === "string") this.#blocks.redacted(redactedContent);
  }

  #open(block: number): void {
    if (this.#openBlock !== -1 && this.#openBlock !== block) this.#blocks.leave();
    this.#openBlock = block;
  }

  #stop(value: JsonObject): boolean {
    this.#blocks.endAll();
    this.#openBlock = -1;
    const fields = value.additionalModelResponseFields;
    if (this.#blocks.finish(value.stopReason, fields, stopSequenceOf(fields))) this.finished = true;
    else this.#failed = true;
    return true;
  }

  #metadata(value: JsonObject): void {
    const usage = readUsage(value.usage);
    if (usage !== null) this.#sink.usage(usage);
    if (isObject(value.trace)) this.#blocks.left("the guardrail's trace");
    if (this.finished) this.done = true;
  }
}

function blockOf({ contentBlockIndex: index }: JsonObject): number {
  return typeof index === "number" ? index : 0;
}

/** Asked for by `additionalModelResponseFieldPaths`. */
export function stopSequenceOf(fields: unknown): string | null {
  return isObject(fields) ? text(fields.stop_sequence) : null;
}
