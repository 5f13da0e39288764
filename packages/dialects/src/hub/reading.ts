import type { Answer, AnswerReading } from "../client-dialect.ts";
import { garbled } from "../failure/answer-object.ts";
import type { ProviderPreset } from "../providers/preset.ts";
import type { StreamWatch, WatchOptions } from "../stream-watch.ts";
import type { UpstreamCodec } from "./codec.ts";
import { Told } from "./told.ts";
import { TranslatedWatch, type TranslatedParts } from "./watch.ts";

type Preset = Pick<ProviderPreset, "markers">;

/** Reads answers of one dialect and writes them in another. For one request: what it writes repeats parts of that. */
export class TranslatedReading implements AnswerReading {
  readonly #parts: TranslatedParts;

  constructor(parts: TranslatedParts) {
    this.#parts = parts;
  }

  watch(options: WatchOptions): StreamWatch {
    return new TranslatedWatch(options, this.#parts);
  }

  readAnswer(body: Buffer, preset: Preset): Answer {
    try {
      return this.#translated(body, preset);
    } catch (error) {
      // What is nested so deeply that it can be read and not be written is no answer of a model's.
      if (error instanceof RangeError) return garbled("the answer nests too deeply to be translated");
      throw error;
    }
  }

  #translated(body: Buffer, preset: Preset): Answer {
    const { upstream, client, context } = this.#parts;
    const writer = client.answerWriter(context);
    const told = new Told(writer);
    upstream.readAnswer(body, preset, told);
    const answer = judge(told);
    return answer.ok ? { ...answer, body: writer.toBody(), notes: told.notes } : answer;
  }
}

/** Judges a whole answer in the client's own dialect, by the codec that also translates it. */
export function readExpressAnswer(codec: UpstreamCodec, body: Buffer, preset: Preset): Answer {
  const told = new Told(null);
  codec.readAnswer(body, preset, told);
  return judge(told);
}

function judge({ failure, ending, counted, textLength, committed }: Told): Answer {
  if (failure !== null) return { ok: false, failure };
  if (ending === null) return garbled("the answer does not say that it is whole");
  const silent = !committed && (counted?.output_tokens ?? 0) === 0;
  return {
    ok: true,
    usage: counted,
    textLength,
    empty: silent && ending !== "content_filter" && ending !== "refusal",
  };
}
