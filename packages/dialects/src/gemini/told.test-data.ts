import type { Failure, Usage } from "@tuloy/contract";

import type { HubFinish, HubSink } from "../hub/answer.ts";
import type { Opaque } from "../hub/request.ts";

/** What a sink was told, with neighbours of one kind in one piece, so that a whole answer and its stream compare. */
export class Heard implements HubSink {
  readonly parts: (readonly [kind: string, ...values: unknown[]])[] = [];
  begun: readonly [string | null, string | null] | null = null;
  counted: Usage | null = null;
  ended: HubFinish | null = null;
  failed: Failure | null = null;
  readonly notes: string[] = [];

  begin(id: string | null, model: string | null): void {
    this.begun = [id, model];
  }
  text(text: string): void {
    this.#add("text", text);
  }
  thought(text: string): void {
    this.#add("thought", text);
  }
  thoughtOpaque({ dialect, data }: Opaque): void {
    this.parts.push(["opaque", dialect, data]);
  }
  refusal(text: string): void {
    this.#add("refusal", text);
  }
  toolCall(call: number, id: string, name: string, opaque: Opaque | null): void {
    this.parts.push(["call", call, id, name, opaque?.data ?? null]);
  }
  toolArguments(call: number, json: string): void {
    this.parts.push(["arguments", call, json]);
  }
  usage(usage: Usage): void {
    this.counted = usage;
  }
  finish(reason: HubFinish): void {
    this.ended = reason;
  }
  fail(failure: Failure): void {
    this.failed = failure;
  }
  left(what: string): void {
    this.notes.push(what);
  }

  #add(kind: string, text: string): void {
    const last = this.parts.at(-1);
    if (last?.[0] === kind && typeof last[1] === "string") this.parts.splice(-1, 1, [kind, last[1] + text]);
    else this.parts.push([kind, text]);
  }
}
