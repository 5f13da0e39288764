import type { Completable } from "../completion/completion.ts";
import { isOnlyReasoning, sentText, softInstruction, whyNotContinuable } from "../completion/continuable.ts";
import type { SentAnswer } from "../completion/sent.ts";
import { splice, type Edit } from "../json/splice.ts";
import { stripMembers, type ScannedObject } from "../json/strip.ts";
import { scanTopLevel, type Member } from "../json/top-level.ts";
import { count, isObject, parseJson, type JsonObject } from "../json/value.ts";
import type { Continuation } from "../providers/continuation.ts";
import { MessageHead } from "./head.ts";
import { anthropicsOwn } from "./own.ts";

/** In which modes the answer to a request can be completed after what was sent of it. */
export function completable(body: Buffer, sent: SentAnswer): Completable {
  if (sent.unknown !== null) return nothing(sent.unknown);
  if (!(sent.head instanceof MessageHead)) return nothing("how its stream began is not known");
  if (isOnlyReasoning(sent))
    return { exact: false, replay: false, anew: true, soft: false, why: "only reasoning was sent" };
  const request = parseJson(body.toString("utf8"));
  if (!isObject(request)) return nothing("the request can't be read");
  if (anthropicsOwn(request) !== null || isCited(request)) {
    return nothing("its blocks can't be told apart: it may hold citations, or what tools of Anthropic's own found");
  }
  const why = notContinuable(request, sent);
  const thinks = isObject(request.thinking) && request.thinking.type !== "disabled";
  // A last assistant message is refused while the model thinks (extended thinking, "Feature compatibility").
  return { exact: why === "" && !thinks, replay: true, anew: false, soft: why === "", why };
}

function nothing(why: string): Completable {
  return { exact: false, replay: false, anew: false, soft: false, why };
}

/** Texts with citations are in blocks of their own, of which what was sent keeps only the text. */
function isCited({ messages }: JsonObject): boolean {
  return (Array.isArray(messages) ? messages : []).some((message) => isObject(message) && hasCited(message.content));
}

function hasCited(content: unknown): boolean {
  return (Array.isArray(content) ? content : []).some(
    (block) =>
      isObject(block) && ((isObject(block.citations) && block.citations.enabled === true) || hasCited(block.content)),
  );
}

function notContinuable(
  { messages, output_config: config, output_format: format }: JsonObject,
  sent: SentAnswer,
): string {
  if ((isObject(config) && isObject(config.format)) || isObject(format)) return "the answer has to be JSON";
  const last: unknown = Array.isArray(messages) ? messages.at(-1) : null;
  if (isObject(last) && last.role === "assistant") return "the request itself begins the answer";
  return whyNotContinuable(sent);
}

/**
 * The body that asks a deployment to go on, from the body that asks it to answer. All else in it stays as it is, but for thinking,
 * beside which no answer can be gone on with: what there was to think was thought before the answer began.
 */
export function continueMessages(body: Buffer, sent: SentAnswer, continuation: Continuation | null): Buffer {
  const scanned = scanTopLevel(body, Infinity);
  if (scanned.kind !== "object") throw new Error("a request that was sent is no JSON object");
  const text = sentText(sent);
  const whole: ScannedObject = { body, members: scanned.members, bodyStart: scanned.bodyStart };
  const object = continuation === null ? whole : stripMembers(whole, (key) => key === "thinking");
  const edits: Edit[] = [];
  const more = continuation === null ? softMessages(text) : [{ role: "assistant", content: text.trimEnd() }];
  for (const member of object.members) {
    if (member.key === "messages") edits.push(appended(object.body, member, more));
    else if (member.key === "max_tokens") edits.push(...reduced(object.body, member, sent.tokens));
  }
  return splice(object.body, edits);
}

function softMessages(text: string): readonly JsonObject[] {
  return [
    { role: "assistant", content: text.trimEnd() },
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
function reduced(body: Buffer, { start, end }: Member, tokens: number): readonly Edit[] {
  const limit = count(parseJson(body.toString("utf8", start, end)));
  return limit === null ? [] : [{ start, end, text: String(Math.max(1, limit - tokens)) }];
}
