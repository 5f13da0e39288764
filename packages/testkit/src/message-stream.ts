/** What a stream of a message said, read by a second, independent reader. */
export interface MessageStream {
  /** As `message_start` began it, with all that followed put in. */
  readonly message: Record<string, unknown> | null;
  readonly content: readonly Record<string, unknown>[];
  /** All text deltas, joined. */
  readonly text: string;
  readonly pings: number;
  readonly errors: readonly unknown[];
  /** `message_stop` events. */
  readonly stops: number;
  /** What is not as Anthropic's documentation has it. */
  readonly problems: readonly string[];
}

interface Reading {
  message: Record<string, unknown> | null;
  readonly content: Record<string, unknown>[];
  /** Index of the open block, or null between two. */
  open: number | null;
  json: string;
  text: string;
  pings: number;
  stops: number;
  readonly errors: unknown[];
  readonly problems: string[];
}

/** Reads a whole event stream. Never throws: what is wrong is in the result. */
export function readMessageStream(bytes: Uint8Array): MessageStream {
  const reading: Reading = {
    message: null,
    content: [],
    open: null,
    json: "",
    text: "",
    pings: 0,
    stops: 0,
    errors: [],
    problems: [],
  };
  const blocks = new TextDecoder().decode(bytes).split("\n\n");
  const remainder = blocks.pop() ?? "";
  if (remainder !== "") reading.problems.push(`a cut event at the end: ${remainder}`);
  for (const block of blocks) {
    const lines = block.split("\n");
    const name = lines.find((line) => line.startsWith("event: "))?.slice(7);
    const data = lines.find((line) => line.startsWith("data: "))?.slice(6);
    if (data === undefined) continue;
    const event: unknown = parse(data);
    if (!isRecord(event)) reading.problems.push(`no JSON object: ${data}`);
    else if (name !== event["type"]) reading.problems.push(`event ${name} has the type ${String(event["type"])}`);
    else readEvent(reading, event);
  }
  if (reading.open !== null) reading.problems.push(`block ${reading.open} was never closed`);
  const { message, content, text, pings, stops, errors, problems } = reading;
  return { message, content, text, pings, stops, errors, problems };
}

function readEvent(reading: Reading, event: Record<string, unknown>): void {
  const { content, problems } = reading;
  if (reading.stops > 0) problems.push(`${String(event["type"])} after message_stop`);
  switch (event["type"]) {
    case "ping":
      reading.pings++;
      return;
    case "error":
      reading.errors.push(event["error"]);
      return;
    case "message_start":
      if (reading.message !== null) problems.push("a second message_start");
      reading.message = isRecord(event["message"]) ? { ...event["message"] } : null;
      return;
    case "message_stop":
      reading.stops++;
      return;
    case "message_delta":
      if (isRecord(event["delta"])) Object.assign(reading.message ?? {}, event["delta"]);
      if (isRecord(event["usage"]) && reading.message !== null) {
        const before = reading.message["usage"];
        reading.message["usage"] = { ...(isRecord(before) ? before : {}), ...event["usage"] };
      }
      return;
    case "content_block_start":
      if (reading.open !== null) problems.push(`block ${reading.open} was still open`);
      if (event["index"] !== content.length) problems.push(`block ${String(event["index"])} after ${content.length}`);
      content.push(isRecord(event["content_block"]) ? { ...event["content_block"] } : {});
      reading.open = content.length - 1;
      reading.json = "";
      return;
    case "content_block_delta":
      if (event["index"] !== reading.open)
        problems.push(`a delta of ${String(event["index"])}, not of ${reading.open}`);
      if (isRecord(event["delta"])) readDelta(reading, event["delta"]);
      return;
    case "content_block_stop":
      if (event["index"] !== reading.open)
        problems.push(`the end of ${String(event["index"])}, not of ${reading.open}`);
      reading.open = null;
      return;
    default:
      problems.push(`an event of type ${String(event["type"])}`);
  }
}

function readDelta(reading: Reading, delta: Record<string, unknown>): void {
  const block = reading.content[reading.open ?? -1];
  if (block === undefined) return;
  const piece = (member: string): string => (typeof delta[member] === "string" ? delta[member] : "");
  switch (delta["type"]) {
    case "text_delta":
      block["text"] = `${String(block["text"])}${piece("text")}`;
      reading.text += piece("text");
      return;
    case "thinking_delta":
      if (block["signature"] !== "") reading.problems.push("a thought goes on after its signature");
      block["thinking"] = `${String(block["thinking"])}${piece("thinking")}`;
      return;
    case "signature_delta":
      if (block["signature"] !== "") reading.problems.push("a second signature of one thought");
      block["signature"] = piece("signature");
      return;
    case "input_json_delta":
      reading.json += piece("partial_json");
      if (reading.json !== "") block["input"] = parse(reading.json) ?? reading.json;
      return;
    default:
      reading.problems.push(`a delta of type ${String(delta["type"])}`);
  }
}

function parse(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
