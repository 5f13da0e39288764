import { sentText, softInstruction } from "../completion/continuable.ts";
import type { SentAnswer } from "../completion/sent.ts";
import { splice, type Edit } from "../json/splice.ts";
import { scanTopLevel, type Member } from "../json/top-level.ts";
import { count, isObject, parseJson, type JsonObject } from "../json/value.ts";
import type { Continuation } from "../providers/continuation.ts";

/** The body that asks to go on, from the body that asks to answer. */
export function continueRequest(body: Buffer, sent: SentAnswer, continuation: Continuation | null): Buffer {
  const scanned = scanTopLevel(body, Infinity);
  if (scanned.kind !== "object") throw new Error("a request that was sent is no JSON object");
  const said = sentText(sent);
  const edits: Edit[] = [];
  for (const member of scanned.members) {
    if (member.key === "messages") edits.push(appended(body, member, turns(said, continuation)));
    else if (member.key === "inferenceConfig")
      edits.push(...changed(body, member, (config) => reduced(config, sent.tokens)));
    // Claude does not go on from a begun answer while it thinks, and it had its thought.
    else if (member.key === "additionalModelRequestFields" && continuation !== null) {
      edits.push(...changed(body, member, withoutThinking));
    }
  }
  return splice(body, edits);
}

function turns(said: string, continuation: Continuation | null): JsonObject[] {
  if (continuation !== null) return [{ role: "assistant", content: [{ text: said.trimEnd() }] }];
  return [
    { role: "assistant", content: [{ text: said }] },
    { role: "user", content: [{ text: softInstruction(said) }] },
  ];
}

function appended(body: Buffer, { start, end }: Member, messages: readonly JsonObject[]): Edit {
  const at = end - 1;
  const empty = body.toString("utf8", start + 1, at).trim() === "";
  const text = messages.map((message) => JSON.stringify(message)).join(",");
  return { start: at, end: at, text: empty ? text : `,${text}` };
}

function changed(body: Buffer, { start, end }: Member, change: (value: JsonObject) => JsonObject): Edit[] {
  const value = parseJson(body.toString("utf8", start, end));
  return isObject(value) ? [{ start, end, text: JSON.stringify(change(value)) }] : [];
}

/** What was sent counts against the limit that the client set. */
function reduced(config: JsonObject, tokens: number): JsonObject {
  const limit = count(config.maxTokens);
  return limit === null ? config : { ...config, maxTokens: Math.max(1, limit - tokens) };
}

function withoutThinking({ thinking: _thinking, ...fields }: JsonObject): JsonObject {
  return fields;
}
