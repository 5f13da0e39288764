import type { Failure, Usage } from "@tuloy/contract";

import type { HubFinish, HubSink } from "../hub/answer.ts";
import type { WriteContext } from "../hub/codec.ts";
import type { Opaque } from "../hub/request.ts";
import { SseReader } from "../sse/reader.ts";

/** One call of a sink. */
export type Told =
  | readonly ["begin", string | null, string | null]
  | readonly ["text" | "thought" | "refusal" | "left", string]
  | readonly ["opaque", Opaque, boolean]
  | readonly ["call", number, string, string, Opaque | null]
  | readonly ["arguments", number, string]
  | readonly ["usage", Usage]
  | readonly ["finish", HubFinish]
  | readonly ["fail", Failure];

/** Writes down what it is told; pieces of one part that follow each other become one, as it makes no difference how a text is cut. */
export class Listener implements HubSink {
  readonly told: Told[] = [];

  begin(id: string | null, model: string | null): void {
    this.told.push(["begin", id, model]);
  }
  text(text: string): void {
    this.#piece("text", text);
  }
  thought(text: string): void {
    this.#piece("thought", text);
  }
  thoughtOpaque(opaque: Opaque, redacted: boolean): void {
    this.told.push(["opaque", opaque, redacted]);
  }
  refusal(text: string): void {
    this.#piece("refusal", text);
  }
  toolCall(call: number, id: string, name: string, opaque: Opaque | null): void {
    this.told.push(["call", call, id, name, opaque]);
  }
  toolArguments(call: number, json: string): void {
    const last = this.told.at(-1);
    if (last?.[0] === "arguments" && last[1] === call)
      this.told[this.told.length - 1] = ["arguments", call, last[2] + json];
    else this.told.push(["arguments", call, json]);
  }
  usage(usage: Usage): void {
    this.told.push(["usage", usage]);
  }
  finish(reason: HubFinish): void {
    this.told.push(["finish", reason]);
  }
  fail(failure: Failure): void {
    this.told.push(["fail", failure]);
  }
  left(what: string): void {
    this.told.push(["left", what]);
  }

  #piece(kind: "text" | "thought" | "refusal", text: string): void {
    const last = this.told.at(-1);
    if (last !== undefined && last[0] === kind) this.told[this.told.length - 1] = [kind, last[1] + text];
    else this.told.push([kind, text]);
  }
}

/** Tells a sink what a listener was told. */
export function retell(told: readonly Told[], sink: HubSink): void {
  for (const one of told) {
    switch (one[0]) {
      case "begin":
        sink.begin(one[1], one[2]);
        break;
      case "text":
      case "thought":
      case "refusal":
      case "left":
        sink[one[0]](one[1]);
        break;
      case "opaque":
        sink.thoughtOpaque(one[1], one[2], null);
        break;
      case "call":
        sink.toolCall(one[1], one[2], one[3], one[4]);
        break;
      case "arguments":
        sink.toolArguments(one[1], one[2]);
        break;
      case "usage":
        sink.usage(one[1]);
        break;
      case "finish":
        sink.finish(one[1], null);
        break;
      case "fail":
        sink.fail(one[1]);
    }
  }
}

export const noMarkers = { markers: [] } as const;

export function context(request: unknown = { model: "model-x", input: "Hi" }): WriteContext {
  return {
    wantsUsage: true,
    makeId: () => "0a1b2c",
    created: 1_700_000_000,
    reportModel: null,
    model: "gpt-up",
    request: Buffer.from(JSON.stringify(request)),
  };
}

export interface ParsedEvent {
  readonly type: string;
  readonly sequence_number: number;
  readonly [member: string]: unknown;
}

/** The events in a stream's bytes, each with the name that its data has as `type`. */
export function eventsOf(bytes: Buffer): ParsedEvent[] {
  const events: ParsedEvent[] = [];
  const reader = new SseReader({
    event(name, data) {
      const event: unknown = JSON.parse(data);
      if (!isEvent(event) || event.type !== name) throw new Error(`this is no event named ${name}: ${data}`);
      events.push(event);
    },
    comment() {},
    filler() {},
    tail() {},
  });
  reader.push(bytes);
  return events;
}

function isEvent(value: unknown): value is ParsedEvent {
  return typeof value === "object" && value !== null && "type" in value && "sequence_number" in value;
}
