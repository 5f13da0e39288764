import { ForwardRun } from "../sse/forward.ts";
import { SseReader, type SseSink } from "../sse/reader.ts";
import { relabelObject } from "./answer.ts";

/** Names the model otherwise in the events of a stream. Events without one, comments and all else stay as they are. */
export class StreamRelabel implements SseSink {
  readonly #model: string;
  readonly #relabel: (event: Buffer, model: string) => Buffer;
  readonly #reader = new SseReader(this);
  readonly #run = new ForwardRun();
  /** The last event was written anew, with an end of its own. */
  #anew = false;

  /** @param relabel one event's JSON; itself when it names no model */
  constructor(model: string, relabel: (event: Buffer, model: string) => Buffer = relabelObject) {
    this.#model = model;
    this.#relabel = relabel;
  }

  /** @returns the bytes to send in place of these. An event that is not whole yet is kept for the next time. */
  push(bytes: Buffer): readonly Buffer[] {
    this.#run.begin(bytes);
    this.#reader.push(bytes);
    return this.#run.finish();
  }

  event(name: string, data: string, carry: Buffer | null, start: number, end: number): void {
    const object = Buffer.from(data);
    const relabelled = this.#relabel(object, this.#model);
    this.#anew = relabelled !== object;
    if (!this.#anew) this.#run.take(carry, start, end);
    else this.#run.put(framed(name, relabelled.toString()));
  }

  comment(_text: string, carry: Buffer | null, start: number, end: number): void {
    if (start < end || carry !== null) this.filler(carry, start, end);
  }

  filler(carry: Buffer | null, start: number, end: number): void {
    this.#anew = false;
    this.#run.take(carry, start, end);
  }

  tail(start: number, end: number): void {
    if (!this.#anew) this.#run.take(null, start, end);
  }
}

function framed(name: string, data: string): Buffer {
  const head = name === "" ? "" : `event: ${name}\n`;
  return Buffer.from(`${head}data: ${data.replaceAll("\n", "\ndata: ")}\n\n`);
}
