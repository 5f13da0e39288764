import type { Usage } from "@tuloy/contract";

import { JsonCursor } from "../json/cursor.ts";

/**
 * The usage of a `chat.completion` as nearly all are: whole, with choices that have a message, with output tokens, and without
 * anything that could be an error. Most answers need no more than this, and parsing them is the dearest step of a small
 * request.
 * @returns null for anything out of the ordinary, good or bad: it has to be parsed
 */
export function glanceAtAnswer(body: Buffer): Usage | null {
  const cursor = new JsonCursor(body);
  if (!cursor.enter("{")) return null;
  let ordinary = true;
  let messages = false;
  let usage: Usage | null = null;
  while (ordinary && cursor.member()) {
    if (cursor.keyIs("choices")) messages = haveMessages(cursor);
    else if (cursor.keyIs("usage")) usage = readUsage(cursor);
    else if (cursor.keyIs("object")) ordinary = cursor.is('"chat.completion"');
    else if (cursor.keyIs("error")) ordinary = cursor.is("null");
    else if (cursor.keyIs("type")) ordinary = false;
    else cursor.skip();
  }
  return ordinary && cursor.whole() && messages && usage !== null && usage.output_tokens > 0 ? usage : null;
}

/** Whether there are choices, and each is an object with a message. */
function haveMessages(cursor: JsonCursor): boolean {
  if (!cursor.enter("[")) {
    cursor.skip();
    return false;
  }
  let choices = 0;
  let messages = 0;
  while (cursor.item()) {
    choices += 1;
    if (cursor.enter("{")) messages += messageIn(cursor) ? 1 : 0;
    else cursor.skip();
  }
  return choices > 0 && messages === choices;
}

function messageIn(cursor: JsonCursor): boolean {
  let found = false;
  while (cursor.member()) {
    if (!cursor.keyIs("message")) cursor.skip();
    else found = passObject(cursor);
  }
  return found;
}

/** Goes past a value. @returns whether it was an object */
function passObject(cursor: JsonCursor): boolean {
  if (!cursor.enter("{")) {
    cursor.skip();
    return false;
  }
  while (cursor.member()) cursor.skip();
  return true;
}

/** Null when anything in it is not as OpenAI itself writes it. */
function readUsage(cursor: JsonCursor): Usage | null {
  if (!cursor.enter("{")) {
    cursor.skip();
    return null;
  }
  let input: number | null = 0;
  let output: number | null = 0;
  let cached: number | null = 0;
  let reasoning: number | null = 0;
  let ordinary = true;
  while (cursor.member()) {
    if (cursor.keyIs("prompt_tokens")) input = cursor.count();
    else if (cursor.keyIs("completion_tokens")) output = cursor.count();
    else if (cursor.keyIs("prompt_tokens_details")) cached = readDetail(cursor, "cached_tokens");
    else if (cursor.keyIs("completion_tokens_details")) reasoning = readDetail(cursor, "reasoning_tokens");
    else if (cursor.keyIs("prompt_cache_hit_tokens") || cursor.keyIs("cached_tokens")) {
      ordinary = false;
      cursor.skip();
    } else cursor.skip();
  }
  if (!ordinary || input === null || output === null || cached === null || reasoning === null) return null;
  return {
    input_tokens: input,
    cached_input_tokens: cached,
    output_tokens: output,
    reasoning_tokens: reasoning,
    source: "provider",
  };
}

/** One count of an object; 0 when it is not there, null when it is anything but a count. */
function readDetail(cursor: JsonCursor, name: string): number | null {
  if (!cursor.enter("{")) return cursor.is("null") ? 0 : null;
  let detail: number | null = 0;
  while (cursor.member()) {
    if (cursor.keyIs(name)) detail = cursor.count();
    else cursor.skip();
  }
  return detail;
}
