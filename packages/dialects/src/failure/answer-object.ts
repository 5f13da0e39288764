import type { Failure } from "@tuloy/contract";

import { isObject, parseJson, type JsonObject } from "../json/value.ts";
import type { ProviderPreset } from "../providers/preset.ts";
import { firstInk, sniff } from "../sse/sniff.ts";
import { classifyErrorObject } from "./classify.ts";
import { cleanReason } from "./reason.ts";

interface Garbled {
  readonly ok: false;
  readonly failure: Failure;
}

/** A failure of an answer that is not what was asked for. */
export function garbled(reason: string): Garbled {
  return {
    ok: false,
    failure: { class: "garbled", reason: cleanReason(reason), status: 200, code: null, retryAfterMs: null },
  };
}

/**
 * Parses a body that came under 200 in place of, or as, an answer: an error object in it becomes the failure it tells of,
 * anything but an object is garbled.
 */
export function readAnswerObject(
  body: Buffer,
  preset: Pick<ProviderPreset, "markers">,
): { readonly ok: true; readonly answer: JsonObject } | Garbled {
  const value = parseJson(body.toString("utf8"));
  if (value === undefined) {
    const first = body[firstInk(body)];
    if (first === undefined) return garbled("the answer is empty");
    const kind = sniff("application/json", first);
    if (kind === "html") return garbled("a page of HTML came in place of an answer");
    return garbled(kind === "json" ? "the answer is half a JSON document" : "the answer is not JSON");
  }
  const failure = classifyErrorObject(value, preset);
  if (failure !== null) return { ok: false, failure };
  return isObject(value) ? { ok: true, answer: value } : garbled("the answer is not a JSON object");
}
