import { garbled, readAnswerObject } from "../failure/answer-object.ts";
import type { HubSink } from "../hub/answer.ts";
import type { EventReader } from "../hub/codec.ts";
import { isObject, parseJson } from "../json/value.ts";
import { ResponseTeller, type ResponsePreset } from "./response.ts";

/** Tells a whole answer of `generateContent`. */
export function readGeminiAnswer(body: Buffer, preset: ResponsePreset, sink: HubSink): void {
  const read = readAnswerObject(body, preset);
  if (!read.ok) {
    sink.fail(read.failure);
    return;
  }
  const teller = new ResponseTeller(sink, preset);
  if (!teller.tell(read.answer)) {
    sink.fail(garbled("the answer is no GenerateContentResponse: it has no candidates").failure);
  } else if (!teller.ended) {
    sink.fail({ ...garbled("the answer ended without a finish reason").failure, class: "truncated" });
  }
}

/**
 * Reads `streamGenerateContent?alt=sse`. The dialect has no terminator: a stream is whole when a reason to end was in it, and the
 * server closes it then.
 */
export class GeminiReader implements EventReader {
  readonly done = false;
  readonly #teller: ResponseTeller;

  constructor(sink: HubSink, preset: ResponsePreset) {
    this.#teller = new ResponseTeller(sink, preset);
  }

  event(_name: string, data: string): boolean {
    const response = parseJson(data);
    // An error may stand in an array, as in the stream that is no SSE.
    const one: unknown = Array.isArray(response) ? response[0] : response;
    return isObject(one) && this.#teller.tell(one);
  }

  get finished(): boolean {
    return this.#teller.finished;
  }
}
