import type { Failure } from "@tuloy/contract";

import { classifyErrorObject } from "../failure/classify.ts";
import { parseJson } from "../json/value.ts";
import type { ProviderPreset } from "../providers/preset.ts";
import type { BodyKind } from "./sniff.ts";

/** A JSON body in place of a stream is an error object; more than this is not read of it. */
const maxJsonBytes = 1024 * 1024;
/** In how many pieces it may come and still be judged before its end: each try parses all of it again. */
const maxJsonTries = 64;

function garbled(reason: string): Failure {
  return { class: "garbled", reason, status: 200, code: null, retryAfterMs: null };
}

/** A body that came in place of a stream: a page is given up at once, JSON when it is whole. */
export class Impostor {
  readonly #kind: Exclude<BodyKind, "events">;
  readonly #preset: Pick<ProviderPreset, "markers">;
  readonly #json: Buffer[] = [];
  #length = 0;

  constructor(kind: Exclude<BodyKind, "events">, preset: Pick<ProviderPreset, "markers">) {
    this.#kind = kind;
    this.#preset = preset;
  }

  /** @returns what it means, once that is clear */
  push(bytes: Buffer): Failure | null {
    if (this.#kind !== "json") {
      return garbled(`${this.#kind === "html" ? "a page of HTML" : "plain text"} came in place of a stream`);
    }
    this.#length += bytes.length;
    if (this.#length > maxJsonBytes) return garbled("a large JSON body came in place of a stream");
    this.#json.push(bytes);
    const last = bytes.at(-1);
    const mayBeWhole = last === 0x7d || last === 0x5d || last === 0x0a;
    return mayBeWhole && this.#json.length <= maxJsonTries ? this.#judge() : null;
  }

  /** Nothing more comes, so what does not parse is half of something. */
  end(): Failure {
    return this.#judge() ?? garbled("half a JSON body came in place of a stream");
  }

  #judge(): Failure | null {
    const value = parseJson(Buffer.concat(this.#json).toString("utf8"));
    if (value === undefined) return null;
    return (
      classifyErrorObject(value, this.#preset) ??
      garbled("a JSON body came in place of a stream; does the server support streaming?")
    );
  }
}
