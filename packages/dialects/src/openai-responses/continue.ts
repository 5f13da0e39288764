import type { Completable } from "../completion/completion.ts";
import { isOnlyReasoning, sentText, softInstruction, whyNotContinuable } from "../completion/continuable.ts";
import type { SentAnswer } from "../completion/sent.ts";
import { setMember, splice, type Edit } from "../json/splice.ts";
import { scanTopLevel } from "../json/top-level.ts";
import { count, isObject, parseJson, type JsonObject } from "../json/value.ts";
import type { Continuation } from "../providers/continuation.ts";
import { boundBy } from "./bound.ts";
import { Place } from "./place.ts";

/** In which modes the answer to a request can be completed after what was sent of it. */
export function completable(body: Buffer, sent: SentAnswer): Completable {
  const { unknown: forgotten, head } = sent;
  const unknown = forgotten ?? (head instanceof Place && !head.strange ? null : "how its stream began is not known");
  if (unknown !== null) return { exact: false, replay: false, anew: false, soft: false, why: unknown };
  const request = parseJson(body.toString("utf8"));
  const bound = isObject(request) ? boundBy(request) : null;
  // Its tools have acted, and its state has moved: a second answer would do both again.
  if (bound !== null) return { exact: false, replay: false, anew: false, soft: false, why: `the request ${bound.why}` };
  const anew = isOnlyReasoning(sent);
  const why = anew ? "only reasoning was sent" : notContinuable(request, sent);
  return { exact: why === "", replay: !anew, anew, soft: why === "", why };
}

function notContinuable(request: unknown, sent: SentAnswer): string {
  if (!isObject(request)) return "the request can't be read";
  const format = isObject(request.text) ? request.text.format : null;
  if (isObject(format) && format.type !== "text") return "the answer has to be JSON";
  const last: unknown = Array.isArray(request.input) ? request.input.at(-1) : null;
  if (isObject(last) && last.role === "assistant") return "the request itself begins the answer";
  return whyNotContinuable(sent);
}

/**
 * The body that asks a deployment to go on, from the body that asks it to answer. No server is known that goes on exactly in this
 * dialect, which has no word for it: with a way, the text so far becomes a last message of the assistant, and what does not go on
 * from it is told apart where the texts join.
 */
export function continueRequest(body: Buffer, sent: SentAnswer, continuation: Continuation | null): Buffer {
  const request = parseJson(body.toString("utf8"));
  const scanned = scanTopLevel(body, Infinity);
  if (scanned.kind !== "object" || !isObject(request)) throw new Error("a request that was sent is no JSON object");
  const text = sentText(sent);
  const input = [...inputItems(request.input), ...added(text, continuation)];
  const edits: Edit[] = setMember(scanned, "input", JSON.stringify(input));
  const limit = count(request.max_output_tokens);
  if (limit !== null) {
    // What was sent counts against the limit that the client set.
    edits.push(...setMember(scanned, "max_output_tokens", String(Math.max(16, limit - sent.tokens))));
  }
  for (const [key, value] of Object.entries(continuation?.body ?? {})) {
    edits.push(...setMember(scanned, key, String(value)));
  }
  return splice(body, edits);
}

function added(text: string, continuation: Continuation | null): JsonObject[] {
  if (continuation !== null) return [{ ...said(text.trimEnd()), ...continuation.message }];
  return [said(text), { type: "message", role: "user", content: softInstruction(text) }];
}

function said(text: string): JsonObject {
  return { type: "message", role: "assistant", content: [{ type: "output_text", text }] };
}

function inputItems(input: unknown): readonly unknown[] {
  if (typeof input === "string") return [{ type: "message", role: "user", content: input }];
  return Array.isArray(input) ? input : [];
}
