import type { Usage } from "@tuloy/contract";

import { classifyErrorEvent, classifyErrorObject } from "../failure/classify.ts";
import type { EventReader } from "../hub/codec.ts";
import type { HubSink } from "../hub/answer.ts";
import { isObject, parseJson, text, type JsonObject } from "../json/value.ts";
import type { ProviderPreset } from "../providers/preset.ts";
import { finishOf, leftBlock, tellRefusal } from "./hub-answer.ts";
import { jsonTool } from "./json-tool.ts";
import { readUsage } from "./usage.ts";

/** Not a call's number: the input of this block is the answer's text. */
const answerItself = -1;

/** Understands the events of a stream (https://platform.claude.com/docs/en/build-with-claude/streaming). */
export class MessageEvents implements EventReader {
  done = false;
  finished = false;
  readonly #sink: HubSink;
  readonly #preset: Pick<ProviderPreset, "markers">;
  #begun = false;
  #failed = false;
  #usage: Usage | null = null;
  /** Of the calls so far. */
  #calls = 0;
  #answered = false;
  /** Which call the open blocks are, by their index; blocks that are none are not in it. */
  readonly #open = new Map<unknown, { readonly call: number; said: boolean }>();

  constructor(sink: HubSink, preset: Pick<ProviderPreset, "markers">) {
    this.#sink = sink;
    this.#preset = preset;
  }

  event(name: string, data: string): boolean {
    if (this.#failed) return false;
    if (name === "error") return this.#fail(data);
    const event = parseJson(data);
    if (!isObject(event)) return false;
    switch (event.type) {
      case "content_block_delta":
        return this.#delta(event);
      case "content_block_start":
        return this.#start(event);
      case "content_block_stop":
        return this.#stop(event);
      case "message_delta":
        return this.#messageDelta(event);
      case "message_start":
        return this.#messageStart(event);
      case "message_stop":
        this.done = true;
        return true;
      case "ping":
        return true;
      case "error":
        return this.#fail(data);
      default:
        return this.#unknown(event);
    }
  }

  /** New events may come at any time, says the documentation. What has no type is none. */
  #unknown(event: JsonObject): boolean {
    const failure = classifyErrorObject(event, this.#preset);
    if (failure !== null) {
      this.#failed = true;
      this.#sink.fail(failure);
      return false;
    }
    return typeof event.type === "string";
  }

  #fail(data: string): false {
    this.#failed = true;
    this.#sink.fail(classifyErrorEvent(data, this.#preset));
    return false;
  }

  #messageStart({ message }: JsonObject): boolean {
    if (!isObject(message)) return false;
    this.#begun = true;
    this.#sink.begin(text(message.id), text(message.model));
    this.#tellUsage(message.usage);
    return true;
  }

  #delta({ delta, index }: JsonObject): boolean {
    if (!isObject(delta)) return false;
    const sink = this.#sink;
    switch (delta.type) {
      case "text_delta":
        if (typeof delta.text === "string" && delta.text !== "") sink.text(delta.text);
        return true;
      case "input_json_delta":
        if (typeof delta.partial_json === "string" && delta.partial_json !== "") this.#input(index, delta.partial_json);
        return true;
      case "thinking_delta":
        if (typeof delta.thinking === "string" && delta.thinking !== "") sink.thought(delta.thinking);
        return true;
      case "signature_delta":
        if (typeof delta.signature === "string" && delta.signature !== "")
          sink.thoughtOpaque({ dialect: "anthropic-messages", data: delta.signature }, false, null);
        return true;
      case "citations_delta":
        sink.left("citations were left out");
        return true;
      default:
        return true;
    }
  }

  #input(index: unknown, json: string): void {
    const open = this.#open.get(index);
    if (open === undefined) return;
    open.said = true;
    if (open.call === answerItself) this.#sink.text(json);
    else this.#sink.toolArguments(open.call, json);
  }

  #start({ content_block: block, index }: JsonObject): boolean {
    if (!isObject(block)) return false;
    if (!this.#begun) {
      this.#begun = true;
      this.#sink.begin(null, null);
    }
    const sink = this.#sink;
    switch (block.type) {
      case "text": {
        const said = text(block.text);
        if (said !== null) sink.text(said);
        return true;
      }
      case "tool_use":
        this.#call(block, index);
        return true;
      case "thinking": {
        const thought = text(block.thinking);
        if (thought !== null) sink.thought(thought);
        const signature = text(block.signature);
        if (signature !== null) sink.thoughtOpaque({ dialect: "anthropic-messages", data: signature }, false, null);
        return true;
      }
      case "redacted_thinking": {
        const data = text(block.data);
        if (data !== null) sink.thoughtOpaque({ dialect: "anthropic-messages", data }, true, null);
        return true;
      }
      default:
        sink.left(leftBlock(block.type));
        return true;
    }
  }

  #call(block: JsonObject, index: unknown): void {
    const itself = block.name === jsonTool;
    const call = itself ? answerItself : this.#calls++;
    if (itself) this.#answered = true;
    else this.#sink.toolCall(call, text(block.id) ?? "", text(block.name) ?? "", null);
    this.#open.set(index, { call, said: false });
    // Some servers send the whole input at once, where Anthropic has an empty object.
    if (isObject(block.input) && Object.keys(block.input).length > 0) this.#input(index, JSON.stringify(block.input));
  }

  /** A call without arguments has no delta, or one of nothing: for all others its arguments are an empty object. */
  #stop({ index }: JsonObject): boolean {
    const open = this.#open.get(index);
    if (open !== undefined && !open.said) this.#input(index, "{}");
    this.#open.delete(index);
    return true;
  }

  #messageDelta({ delta, usage }: JsonObject): boolean {
    this.#tellUsage(usage);
    if (!isObject(delta)) return true;
    const reason = text(delta.stop_reason);
    if (reason === null || this.finished) return true;
    this.finished = true;
    tellRefusal(delta.stop_details, this.#sink);
    const onlyJson = this.#calls === 0 && this.#answered;
    this.#sink.finish(finishOf(reason, onlyJson, this.#sink), text(delta.stop_sequence));
    return true;
  }

  #tellUsage(value: unknown): void {
    const usage = readUsage(value, this.#usage);
    if (usage === null || usage === this.#usage) return;
    this.#usage = usage;
    this.#sink.usage(usage);
  }
}
