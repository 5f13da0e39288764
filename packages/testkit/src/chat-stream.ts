import type { Collected } from "./collect.ts";

/** What a chat completion's stream said, read by a second, independent reader. */
export interface ChatStream {
  /** All content deltas, joined. */
  readonly text: string;
  readonly roleDeltas: number;
  /** Distinct response ids and model names, in order of appearance. */
  readonly ids: readonly string[];
  readonly models: readonly string[];
  readonly finishReasons: readonly string[];
  readonly usages: readonly unknown[];
  /** `error` objects sent as events. */
  readonly errors: readonly unknown[];
  readonly comments: readonly string[];
  /** `[DONE]` events. */
  readonly terminators: number;
  /** Events after the first `[DONE]`. */
  readonly afterTerminator: number;
  /** Content deltas after a finish reason. */
  readonly contentAfterFinish: number;
  /** Data that is neither JSON nor `[DONE]`, and chunks without a `choices` list. */
  readonly malformed: readonly string[];
  /** Bytes after the last blank line: an event that was cut. */
  readonly remainder: string;
  /** Every event's data, parsed where it is JSON. */
  readonly events: readonly unknown[];
}

type Draft = { -readonly [K in keyof ChatStream]: ChatStream[K] extends readonly (infer E)[] ? E[] : ChatStream[K] };

/** Reads a whole event stream of `chat.completion.chunk`s, choice 0. Never throws: what is wrong is in the result. */
export function readChatStream(bytes: Uint8Array): ChatStream {
  const stream: Draft = {
    text: "",
    roleDeltas: 0,
    ids: [],
    models: [],
    finishReasons: [],
    usages: [],
    errors: [],
    comments: [],
    terminators: 0,
    afterTerminator: 0,
    contentAfterFinish: 0,
    malformed: [],
    remainder: "",
    events: [],
  };
  const blocks = new TextDecoder().decode(bytes).split(/\r\n\r\n|\n\n|\r\r/);
  stream.remainder = blocks.pop() ?? "";
  for (const block of blocks) {
    const data: string[] = [];
    for (const line of block.split(/\r\n|\n|\r/)) {
      if (line.startsWith(":")) stream.comments.push(line.slice(1).trim());
      else if (line.startsWith("data:")) data.push(line.slice(line[5] === " " ? 6 : 5));
    }
    if (data.length > 0) readEvent(stream, data.join("\n"));
  }
  return stream;
}

function readEvent(stream: Draft, data: string): void {
  if (stream.terminators > 0) stream.afterTerminator++;
  if (data === "[DONE]") {
    stream.terminators++;
    stream.events.push(data);
    return;
  }
  const event = parse(data);
  stream.events.push(event ?? data);
  if (event === null) {
    stream.malformed.push(data);
    return;
  }
  if (isRecord(event["error"])) {
    stream.errors.push(event["error"]);
    return;
  }
  note(stream.ids, event["id"]);
  note(stream.models, event["model"]);
  if (isRecord(event["usage"])) stream.usages.push(event["usage"]);
  const choices = event["choices"];
  if (!Array.isArray(choices)) stream.malformed.push(data);
  else readChoice(stream, choices[0]);
}

function readChoice(stream: Draft, choice: unknown): void {
  if (!isRecord(choice)) return;
  const delta = choice["delta"];
  if (isRecord(delta)) {
    if (typeof delta["role"] === "string") stream.roleDeltas++;
    if (typeof delta["content"] === "string" && delta["content"] !== "") {
      stream.text += delta["content"];
      if (stream.finishReasons.length > 0) stream.contentAfterFinish++;
    }
  }
  if (typeof choice["finish_reason"] === "string") stream.finishReasons.push(choice["finish_reason"]);
}

/**
 * What keeps a streamed answer from being clean: the full text, one terminator and nothing after it, one role delta, one
 * response id, one finish reason, no error. Empty when it is clean.
 */
export function expectClean(collected: Collected, text: string): string[] {
  const stream = readChatStream(collected.body);
  const problems: string[] = [];
  const want = (holds: boolean, problem: string): void => void (holds || problems.push(problem));
  want(collected.status === 200, `status ${collected.status}`);
  want(
    collected.ended === "clean",
    `ended: ${collected.ended}${collected.error === null ? "" : ` (${collected.error})`}`,
  );
  want(stream.text === text, `the text is ${JSON.stringify(stream.text)}, not ${JSON.stringify(text)}`);
  want(stream.terminators === 1, `${stream.terminators} terminators`);
  want(stream.afterTerminator === 0, `${stream.afterTerminator} events after the terminator`);
  want(stream.roleDeltas === 1, `${stream.roleDeltas} role deltas`);
  want(stream.ids.length === 1, `${stream.ids.length} response ids: ${stream.ids.join(", ")}`);
  want(stream.models.length === 1, `${stream.models.length} model names: ${stream.models.join(", ")}`);
  want(stream.finishReasons.length === 1, `${stream.finishReasons.length} finish reasons`);
  want(stream.contentAfterFinish === 0, `${stream.contentAfterFinish} content deltas after the finish reason`);
  want(stream.usages.length <= 1, `${stream.usages.length} usage objects`);
  want(stream.errors.length === 0, `error events: ${JSON.stringify(stream.errors)}`);
  want(stream.malformed.length === 0, `malformed events: ${JSON.stringify(stream.malformed)}`);
  want(stream.remainder === "", `a cut event at the end: ${JSON.stringify(stream.remainder)}`);
  return problems;
}

function note(seen: string[], value: unknown): void {
  if (typeof value === "string" && !seen.includes(value)) seen.push(value);
}

function parse(data: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(data);
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
