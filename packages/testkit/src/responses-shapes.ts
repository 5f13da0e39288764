import { sse } from "./openai-shapes.ts";
import type { Script } from "./scripted-upstream.ts";

/** One item of an answer in the form of OpenAI's Responses API, by what is said in it. */
export type ResponseItem =
  | { readonly text: string }
  | { readonly refusal: string }
  /** Empty: it shows nothing. `encrypted`: what its maker wants back. */
  | { readonly reasoning: string; readonly encrypted?: string }
  | { readonly call: string; readonly callId: string; readonly arguments: string };

export interface ResponseShape {
  /** Default `resp_1`. */
  readonly id?: string;
  /** Default `model-x`. */
  readonly model?: string;
  /** Default 5 in and 7 out. */
  readonly usage?: readonly [input: number, output: number];
  /** Of the input what the cache held, of the output what was reasoning, and of the input what was written to the cache. Default 2, 3 and 0. */
  readonly details?: readonly [cached: number, reasoning: number, written?: number];
  /** Why it is incomplete. Default: it is whole. */
  readonly incomplete?: "max_output_tokens" | "content_filter";
  /** Further members of the response object. */
  readonly more?: Readonly<Record<string, unknown>>;
}

type Fields = Readonly<Record<string, unknown>>;

/** A whole response object. */
export function responseObject(items: readonly ResponseItem[], shape: ResponseShape = {}): Fields {
  const [input, output] = shape.usage ?? [5, 7];
  const [cached, reasoning, written = 0] = shape.details ?? [2, 3];
  return {
    ...frame(shape),
    status: shape.incomplete === undefined ? "completed" : "incomplete",
    incomplete_details: shape.incomplete === undefined ? null : { reason: shape.incomplete },
    output: items.map((item, index) => itemObject(item, itemId(item, index, shape))),
    usage: {
      input_tokens: input,
      input_tokens_details: { cached_tokens: cached, cache_write_tokens: written },
      output_tokens: output,
      output_tokens_details: { reasoning_tokens: reasoning },
      total_tokens: input + output,
    },
  };
}

/** A whole stream, an element per event, with a piece per word: https://platform.openai.com/docs/api-reference/responses-streaming */
export function responseEvents(items: readonly ResponseItem[], shape: ResponseShape = {}): string[] {
  const events: string[] = [];
  const add = (type: string, fields: Fields): void =>
    void events.push(sse({ type, sequence_number: events.length, ...fields }, type));
  const begun = { ...frame(shape), status: "in_progress", output: [], usage: null };
  add("response.created", { response: begun });
  add("response.in_progress", { response: begun });
  for (const [index, item] of items.entries()) addItem(item, index, itemId(item, index, shape), add);
  const response = responseObject(items, shape);
  add(`response.${String(response.status)}`, { response });
  return events;
}

/** Answers a request of the Responses API in the form it asks for. The response repeats what the request says of itself. */
export function answersResponse(items: readonly ResponseItem[], shape: ResponseShape = {}): Script {
  return (reply, request) => {
    const body = request.json();
    const asked: Fields = isObject(body) ? body : {};
    const { instructions = null, metadata = {}, store = true, tools = [], previous_response_id = null } = asked;
    const more = { instructions, metadata, store, tools, previous_response_id, ...shape.more };
    if (asked.stream !== true) return reply.json(200, responseObject(items, { ...shape, more }));
    reply.eventStream();
    for (const event of responseEvents(items, { ...shape, more })) reply.chunk(event);
    return reply.end();
  };
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

function frame({ id = "resp_1", model = "model-x", more = {} }: ResponseShape): Fields {
  return {
    id,
    object: "response",
    created_at: 1_700_000_000,
    model,
    error: null,
    incomplete_details: null,
    instructions: null,
    metadata: {},
    parallel_tool_calls: true,
    temperature: 1,
    tool_choice: "auto",
    tools: [],
    top_p: 1,
    store: true,
    ...more,
  };
}

function itemId(item: ResponseItem, index: number, { id = "resp_1" }: ResponseShape): string {
  const prefix = "call" in item ? "fc" : "reasoning" in item ? "rs" : "msg";
  return `${prefix}_${id.replace(/^resp_/, "")}_${index}`;
}

function itemObject(item: ResponseItem, id: string): Fields {
  if ("call" in item) {
    const { call: name, callId, arguments: json } = item;
    return { id, type: "function_call", status: "completed", call_id: callId, name, arguments: json };
  }
  if ("reasoning" in item) {
    const kept = item.encrypted === undefined ? {} : { encrypted_content: item.encrypted };
    const summary = item.reasoning === "" ? [] : [{ type: "summary_text", text: item.reasoning }];
    return { id, type: "reasoning", summary, ...kept };
  }
  return { id, type: "message", status: "completed", role: "assistant", content: [contentPart(item)] };
}

function contentPart(item: { readonly text: string } | { readonly refusal: string }): Fields {
  return "text" in item
    ? { type: "output_text", text: item.text, annotations: [], logprobs: [] }
    : { type: "refusal", refusal: item.refusal };
}

function addItem(item: ResponseItem, index: number, id: string, add: (type: string, fields: Fields) => void): void {
  const at = { output_index: index };
  const place = { ...at, item_id: id };
  const whole = itemObject(item, id);
  if ("call" in item) {
    add("response.output_item.added", { ...at, item: { ...whole, status: "in_progress", arguments: "" } });
    for (const delta of pieces(item.arguments)) add("response.function_call_arguments.delta", { ...place, delta });
    add("response.function_call_arguments.done", { ...place, arguments: item.arguments, name: item.call });
  } else if ("reasoning" in item) {
    const part = { ...place, summary_index: 0 };
    add("response.output_item.added", { ...at, item: { id, type: "reasoning", summary: [] } });
    if (item.reasoning !== "") {
      add("response.reasoning_summary_part.added", { ...part, part: { type: "summary_text", text: "" } });
      for (const delta of pieces(item.reasoning)) add("response.reasoning_summary_text.delta", { ...part, delta });
      add("response.reasoning_summary_text.done", { ...part, text: item.reasoning });
      add("response.reasoning_summary_part.done", { ...part, part: { type: "summary_text", text: item.reasoning } });
    }
  } else {
    const part = { ...place, content_index: 0 };
    const said = "text" in item ? item.text : item.refusal;
    const empty = "text" in item ? contentPart({ text: "" }) : contentPart({ refusal: "" });
    add("response.output_item.added", { ...at, item: { ...whole, status: "in_progress", content: [] } });
    add("response.content_part.added", { ...part, part: empty });
    for (const delta of pieces(said)) {
      if ("text" in item) add("response.output_text.delta", { ...part, delta, logprobs: [] });
      else add("response.refusal.delta", { ...part, delta });
    }
    if ("text" in item) add("response.output_text.done", { ...part, text: said, logprobs: [] });
    else add("response.refusal.done", { ...part, refusal: said });
    add("response.content_part.done", { ...part, part: contentPart(item) });
  }
  add("response.output_item.done", { ...at, item: whole });
}

function pieces(text: string): readonly string[] {
  return text.match(/\s*\S+\s*?/g) ?? [];
}
