import type { Failure, Usage } from "@tuloy/contract";

import type { HubFinish, HubSink } from "../hub/answer.ts";
import type { WriteContext } from "../hub/codec.ts";
import type { Opaque } from "../hub/request.ts";
import { SseReader } from "../sse/reader.ts";
import { tellMessage } from "./hub-answer.ts";
import { MessageEvents } from "./hub-events.ts";

export const preset = { markers: [] };

export const context: WriteContext = {
  wantsUsage: true,
  makeId: () => "made",
  created: 0,
  reportModel: null,
  model: "its-id",
  request: Buffer.alloc(0),
};

/** Writes down what it is told; neighbouring pieces of one kind become one. */
export class Told implements HubSink {
  readonly said: (readonly unknown[])[] = [];
  readonly notes: string[] = [];
  counts: Usage | null = null;
  failure: Failure | null = null;

  #add(kind: string, text: string): void {
    const last = this.said.at(-1);
    if (last?.[0] === kind) this.said.splice(-1, 1, [kind, `${String(last[1])}${text}`]);
    else this.said.push([kind, text]);
  }

  begin = (id: string | null, model: string | null): void => void this.said.push(["begin", id, model]);
  text = (text: string): void => this.#add("text", text);
  thought = (text: string): void => this.#add("thought", text);
  refusal = (text: string): void => this.#add("refusal", text);
  thoughtOpaque = (opaque: Opaque, redacted: boolean, id: string | null): void =>
    void this.said.push(["opaque", opaque, redacted, id]);
  toolCall = (call: number, id: string, name: string, opaque: Opaque | null): void =>
    void this.said.push(["call", call, id, name, opaque]);
  toolArguments = (call: number, json: string): void => this.#add(`arguments of ${call}`, json);
  usage = (usage: Usage): void => void (this.counts = usage);
  finish = (reason: HubFinish, stopSequence: string | null): void =>
    void this.said.push(["finish", reason, stopSequence]);
  fail = (failure: Failure): void => void (this.failure = failure);
  left = (what: string): void => void this.notes.push(what);
}

export function ofWhole(answer: unknown): Told {
  const told = new Told();
  tellMessage(Buffer.from(JSON.stringify(answer)), preset, told);
  return told;
}

/** Through the real framing, cut into chunks of the given sizes. */
export function ofStream(
  wire: string,
  sizes: readonly number[] = [1_000_000],
): { told: Told; reader: MessageEvents; refused: number } {
  const told = new Told();
  const reader = new MessageEvents(told, preset);
  let refused = 0;
  const framing = new SseReader({
    event: (name, data) => void (refused += reader.event(name, data) ? 0 : 1),
    comment() {},
    filler() {},
    tail() {},
  });
  const bytes = Buffer.from(wire);
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? bytes.length;
    framing.push(bytes.subarray(at, at + size));
    at += size;
  }
  return { told, reader, refused };
}

/** A block without what only Anthropic's own texts have. */
export function bare(block: object): object {
  const { citations: _citations, ...rest } = block as Record<string, unknown>;
  return rest;
}
