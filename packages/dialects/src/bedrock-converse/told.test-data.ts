import type { HubSink } from "../hub/answer.ts";

/** Everything that a sink was told, with neighbouring pieces of one part joined. */
export class Told implements HubSink {
  readonly said: unknown[][] = [];

  #add(kind: string, ...rest: unknown[]): void {
    this.said.push([kind, ...rest]);
  }

  #append(kind: string, piece: string, ...key: unknown[]): void {
    const last = this.said.at(-1);
    if (last !== undefined && last[0] === kind && key.every((part, index) => last[index + 2] === part)) {
      last[1] = `${String(last[1])}${piece}`;
    } else this.#add(kind, piece, ...key);
  }

  begin(id: string | null, model: string | null): void {
    this.#add("begin", id, model);
  }
  text(piece: string): void {
    this.#append("text", piece);
  }
  thought(piece: string): void {
    this.#append("thought", piece);
  }
  thoughtOpaque(...all: Parameters<HubSink["thoughtOpaque"]>): void {
    this.#add("thoughtOpaque", ...all);
  }
  refusal(piece: string): void {
    this.#append("refusal", piece);
  }
  toolCall(...all: Parameters<HubSink["toolCall"]>): void {
    this.#add("toolCall", ...all);
  }
  toolArguments(call: number, json: string): void {
    this.#append("toolArguments", json, call);
  }
  usage(...all: Parameters<HubSink["usage"]>): void {
    this.#add("usage", ...all);
  }
  finish(...all: Parameters<HubSink["finish"]>): void {
    this.#add("finish", ...all);
  }
  fail(...all: Parameters<HubSink["fail"]>): void {
    this.#add("fail", ...all);
  }
  left(what: string): void {
    this.#add("left", what);
  }
}
