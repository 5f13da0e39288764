import type { Completable } from "../completion/completion.ts";
import { isOnlyReasoning, sentText, softInstruction, whyNotContinuable } from "../completion/continuable.ts";
import type { SentAnswer } from "../completion/sent.ts";
import { splice, setMember, type Edit } from "../json/splice.ts";
import { scanTopLevel, type Member } from "../json/top-level.ts";
import { count, isObject, parseJson, type JsonObject } from "../json/value.ts";
import type { Continuation } from "../providers/continuation.ts";

/** In which modes the answer to a request can be completed after what was sent of it. */
export function completable(body: Buffer, sent: SentAnswer): Completable {
  if (sent.unknown !== null) return { exact: false, replay: false, anew: false, soft: false, why: sent.unknown };
  const anew = isOnlyReasoning(sent);
  const why = anew ? "only reasoning was sent" : notContinuable(body, sent);
  return { exact: why === "", replay: !anew, anew, soft: why === "", why };
}

/** Why an answer can't be continued, only replayed; empty when it can be. */
function notContinuable(body: Buffer, sent: SentAnswer): string {
  const request = parseJson(body.toString("utf8"));
  if (!isObject(request)) return "the request can't be read";
  if ((count(request.n) ?? 1) > 1) return "several choices were asked for";
  if (request.logprobs === true || (count(request.top_logprobs) ?? 0) > 0) return "log probabilities were asked for";
  const format = request.response_format;
  if (isObject(format) && format.type !== "text") return "the answer has to be JSON";
  const last: unknown = Array.isArray(request.messages) ? request.messages.at(-1) : null;
  if (isObject(last) && last.role === "assistant") return "the request itself begins the answer";
  return whyNotContinuable(sent);
}

/** The body that asks a deployment to go on, from the body that asks it to answer. All else in it stays as it is. */
export function continueRequest(body: Buffer, sent: SentAnswer, continuation: Continuation | null): Buffer {
  const scanned = scanTopLevel(body, Infinity);
  if (scanned.kind !== "object") throw new Error("a request that was sent is no JSON object");
  const edits: Edit[] = [];
  const text = sentText(sent);
  const messages = continuation === null ? softMessages(text) : [exactMessage(text, continuation)];
  for (const member of scanned.members) {
    if (member.key === "messages") edits.push(appended(body, member, messages));
    else if (member.key === "max_tokens" || member.key === "max_completion_tokens") {
      edits.push(...reduced(body, member, sent.tokens));
    }
  }
  for (const [key, value] of Object.entries(continuation?.body ?? {})) {
    edits.push(...setMember(scanned, key, String(value)));
  }
  return splice(body, edits);
}

function exactMessage(text: string, continuation: Continuation): JsonObject {
  return { role: "assistant", content: text.trimEnd(), ...continuation.message };
}

function softMessages(text: string): JsonObject[] {
  return [
    { role: "assistant", content: text },
    { role: "user", content: softInstruction(text) },
  ];
}

/** Puts messages behind the last one. */
function appended(body: Buffer, { start, end }: Member, messages: readonly JsonObject[]): Edit {
  const at = end - 1;
  const empty = body.toString("utf8", start + 1, at).trim() === "";
  const text = messages.map((message) => JSON.stringify(message)).join(",");
  return { start: at, end: at, text: empty ? text : `,${text}` };
}

/** What was sent counts against the limit that the client set. */
function reduced(body: Buffer, { start, end }: Member, tokens: number): Edit[] {
  const limit = count(parseJson(body.toString("utf8", start, end)));
  return limit === null ? [] : [{ start, end, text: String(Math.max(1, limit - tokens)) }];
}
