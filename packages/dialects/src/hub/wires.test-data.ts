import { converseEvent } from "@tuloy/testkit";

/** A dialect that answers come in. */
export type Upstream = "openai-chat" | "openai-responses" | "anthropic-messages" | "gemini" | "bedrock-converse";
export const upstreams: readonly Upstream[] = [
  "openai-chat",
  "openai-responses",
  "anthropic-messages",
  "gemini",
  "bedrock-converse",
];

/** A part of an answer, as a provider means it. */
export type Part =
  | { readonly kind: "thought"; readonly text: string; readonly signed: boolean }
  /** A thought that only its maker can read. */
  | { readonly kind: "hidden" }
  | { readonly kind: "text" | "refusal"; readonly text: string }
  | { readonly kind: "call"; readonly name: string; readonly json: string };

export interface WireShape {
  /** What this provider calls the answer. */
  readonly id: string;
  /** Characters of a piece. */
  readonly size: number;
  /** Pieces of calls, and of what comes among them, are sent in turns where the dialect can. */
  readonly mixed: boolean;
  readonly limited: boolean;
}

/** What every dialect has a way to say. */
export function canSay(dialect: Upstream, part: Part): boolean {
  if (part.kind === "refusal") return dialect === "openai-chat" || dialect === "openai-responses";
  return part.kind !== "hidden" || dialect !== "gemini";
}

/** The signature of a thought signs its whole text and nothing else. */
export const signatureOf = (text: string): string => `sig${Buffer.from(text).toString("base64url")}`;
const hiddenData = "aGlkZGVu";

const cut = (text: string, size: number): string[] => text.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];

/** A whole stream, an element per event. */
export function wireOf(dialect: Upstream, parts: readonly Part[], shape: WireShape): Buffer[] {
  const events = writers[dialect](parts, shape);
  return events.map((event) => (typeof event === "string" ? Buffer.from(event) : event));
}

type WriteWire = (parts: readonly Part[], shape: WireShape) => (string | Buffer)[];

const data = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
const named = (type: string, members: object): string => `event: ${type}\n${data({ type, ...members })}`;
const hasCalls = (parts: readonly Part[]): boolean => parts.some(({ kind }) => kind === "call");

/** The pieces of each part, one part after the other, or from the first call on in turns. */
function inTurns<Piece>(pieces: readonly (readonly Piece[])[], from: number, mixed: boolean): Piece[] {
  if (!mixed || from === -1) return pieces.flat();
  const rest = pieces.slice(from);
  const turns = Math.max(...rest.map(({ length }) => length));
  const taken = Array.from({ length: turns }, (_, turn) => rest.flatMap((all) => all.slice(turn, turn + 1)));
  return [...pieces.slice(0, from).flat(), ...taken.flat()];
}

/** Where calls begin with which at most one other part can be mixed, a text: pieces of two could not be told apart. */
function firstCall(parts: readonly Part[]): number {
  const first = parts.findIndex(({ kind }) => kind === "call");
  const others = parts.slice(first).filter(({ kind }) => kind !== "call");
  return others.length > 1 || others.some(({ kind }) => kind !== "text") ? -1 : first;
}

function chat(parts: readonly Part[], { id, size, mixed, limited }: WireShape): string[] {
  const choice = (delta: object, finish: string | null = null): string =>
    data({ id, model: `model-${id}`, created: 1, choices: [{ index: 0, delta, finish_reason: finish }] });
  const format = "anthropic-claude-v1";
  let calls = 0;
  const pieces = parts.map((part, index): string[] => {
    switch (part.kind) {
      case "thought": {
        if (!part.signed) return cut(part.text, size).map((text) => choice({ reasoning_content: text }));
        const detail = { type: "reasoning.text", format, index };
        return [
          ...cut(part.text, size).map((text) => choice({ reasoning: text, reasoning_details: [{ ...detail, text }] })),
          choice({ reasoning_details: [{ ...detail, signature: signatureOf(part.text) }] }),
        ];
      }
      case "hidden":
        return [choice({ reasoning_details: [{ type: "reasoning.encrypted", data: hiddenData, format, index }] })];
      case "text":
        return cut(part.text, size).map((content) => choice({ content }));
      case "refusal":
        return cut(part.text, size).map((refusal) => choice({ refusal }));
      case "call": {
        const at = calls++;
        const made = (fields: object): string => choice({ tool_calls: [{ index: at, ...fields }] });
        return [
          made({ id: `call_${id}_${at}`, type: "function", function: { name: part.name, arguments: "" } }),
          ...cut(part.json, size).map((json) => made({ function: { arguments: json } })),
        ];
      }
    }
  });
  return [
    choice({ role: "assistant", content: "" }),
    ...inTurns(pieces, firstCall(parts), mixed),
    choice({}, limited ? "length" : hasCalls(parts) ? "tool_calls" : "stop"),
    data({ id, model: `model-${id}`, created: 1, choices: [], usage: { prompt_tokens: 10, completion_tokens: 20 } }),
    "data: [DONE]\n\n",
  ];
}

function responses(parts: readonly Part[], { id, size, mixed, limited }: WireShape): string[] {
  const event = (type: string, members: object): string => named(`response.${type}`, members);
  const response = { id: `resp_${id}`, object: "response", model: `model-${id}`, status: "in_progress", output: [] };
  const output: object[] = [];
  const pieces = parts.map((part, index): string[] => {
    const at = { output_index: index, item_id: `item_${id}_${index}` };
    const item = { id: at.item_id, type: "message", role: "assistant", status: "in_progress", content: [] };
    const around = (begun: object, deltas: readonly string[], whole: object): string[] => {
      output.push(whole);
      const added = event("output_item.added", { ...at, item: begun });
      return [added, ...deltas, event("output_item.done", { ...at, item: whole })];
    };
    switch (part.kind) {
      case "thought":
      case "hidden": {
        const said = part.kind === "thought" ? part.text : "";
        const signature = part.kind === "hidden" ? hiddenData : part.signed ? signatureOf(said) : null;
        const begun = { id: at.item_id, type: "reasoning", summary: [] };
        return around(
          begun,
          cut(said, size).map((delta) => event("reasoning_summary_text.delta", { ...at, summary_index: 0, delta })),
          {
            ...begun,
            summary: said === "" ? [] : [{ type: "summary_text", text: said }],
            ...(signature === null ? {} : { encrypted_content: signature }),
          },
        );
      }
      case "text": {
        const deltas = cut(part.text, size).map((delta) =>
          event("output_text.delta", { ...at, content_index: 0, delta }),
        );
        return around(item, deltas, {
          ...item,
          status: "completed",
          content: [{ type: "output_text", text: part.text, annotations: [], logprobs: [] }],
        });
      }
      case "refusal":
        return around(
          item,
          cut(part.text, size).map((delta) => event("refusal.delta", { ...at, content_index: 0, delta })),
          { ...item, status: "completed", content: [{ type: "refusal", refusal: part.text }] },
        );
      case "call": {
        const begun = { id: at.item_id, type: "function_call", call_id: `call_${id}_${index}`, name: part.name };
        return around(
          { ...begun, arguments: "" },
          cut(part.json, size).map((delta) => event("function_call_arguments.delta", { ...at, delta })),
          { ...begun, status: "completed", arguments: part.json },
        );
      }
    }
  });
  const status = limited ? "incomplete" : "completed";
  const end = {
    ...response,
    status,
    incomplete_details: limited ? { reason: "max_output_tokens" } : null,
    output,
    usage: { input_tokens: 10, output_tokens: 20 },
  };
  const events = [
    event("created", { response }),
    ...inTurns(pieces, firstCall(parts), mixed),
    event(status, { response: end }),
  ];
  return events.map((one, index) => one.replace(',"', `,"sequence_number":${index},"`));
}

function messages(parts: readonly Part[], { id, size, limited }: WireShape): string[] {
  const message = { id: `msg_${id}`, type: "message", role: "assistant", model: `model-${id}`, content: [] };
  const blocks = parts.flatMap((part, index): string[] => {
    const around = (block: object, deltas: readonly object[]): string[] => [
      named("content_block_start", { index, content_block: block }),
      ...deltas.map((delta) => named("content_block_delta", { index, delta })),
      named("content_block_stop", { index }),
    ];
    switch (part.kind) {
      case "thought":
        return around({ type: "thinking", thinking: "", signature: "" }, [
          ...cut(part.text, size).map((thinking) => ({ type: "thinking_delta", thinking })),
          ...(part.signed ? [{ type: "signature_delta", signature: signatureOf(part.text) }] : []),
        ]);
      case "hidden":
        return around({ type: "redacted_thinking", data: hiddenData }, []);
      case "text":
      case "refusal":
        return around(
          { type: "text", text: "" },
          cut(part.text, size).map((text) => ({ type: "text_delta", text })),
        );
      case "call":
        return around(
          { type: "tool_use", id: `toolu_${id}_${index}`, name: part.name, input: {} },
          cut(part.json, size).map((json) => ({ type: "input_json_delta", partial_json: json })),
        );
    }
  });
  const reason = limited ? "max_tokens" : hasCalls(parts) ? "tool_use" : "end_turn";
  return [
    named("message_start", { message: { ...message, usage: { input_tokens: 10, output_tokens: 1 } } }),
    named("ping", {}),
    ...blocks,
    named("message_delta", { delta: { stop_reason: reason, stop_sequence: null }, usage: { output_tokens: 20 } }),
    named("message_stop", {}),
  ];
}

function gemini(parts: readonly Part[], { id, size, limited }: WireShape): string[] {
  const event = (part: object | null, more: object = {}): string =>
    data({
      responseId: id,
      modelVersion: `model-${id}`,
      candidates: [{ index: 0, content: { role: "model", parts: part === null ? [] : [part] }, ...more }],
      usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 20 },
    });
  const content = parts.flatMap((part): string[] => {
    switch (part.kind) {
      case "thought": {
        const said = cut(part.text, size).map((text) => ({ text, thought: true }));
        const end = part.signed ? [{ text: "", thought: true, thoughtSignature: signatureOf(part.text) }] : [];
        return [...said, ...end].map((one) => event(one));
      }
      case "text":
        return cut(part.text, size).map((text) => event({ text }));
      case "call":
        return [event({ functionCall: { name: part.name, args: JSON.parse(part.json) as unknown } })];
      case "hidden":
      case "refusal":
        return [];
    }
  });
  return [...content, event(null, { finishReason: limited ? "MAX_TOKENS" : "STOP" })];
}

function converse(parts: readonly Part[], { id, size, mixed, limited }: WireShape): Buffer[] {
  const blocks = parts.map((part, contentBlockIndex): Buffer[] => {
    const delta = (piece: object): Buffer => converseEvent("contentBlockDelta", { contentBlockIndex, delta: piece });
    const end = converseEvent("contentBlockStop", { contentBlockIndex });
    switch (part.kind) {
      case "thought":
        return [
          ...cut(part.text, size).map((text) => delta({ reasoningContent: { text } })),
          ...(part.signed ? [delta({ reasoningContent: { signature: signatureOf(part.text) } })] : []),
          end,
        ];
      case "hidden":
        return [delta({ reasoningContent: { redactedContent: hiddenData } }), end];
      case "text":
      case "refusal":
        return [...cut(part.text, size).map((text) => delta({ text })), end];
      case "call": {
        const toolUse = { toolUseId: `tooluse_${id}_${contentBlockIndex}`, name: part.name };
        return [
          converseEvent("contentBlockStart", { contentBlockIndex, start: { toolUse } }),
          ...cut(part.json, size).map((input) => delta({ toolUse: { input } })),
          end,
        ];
      }
    }
  });
  const stopReason = limited ? "max_tokens" : hasCalls(parts) ? "tool_use" : "end_turn";
  return [
    converseEvent("messageStart", { role: "assistant" }),
    ...inTurns(blocks, firstCall(parts), mixed),
    converseEvent("messageStop", { stopReason }),
    converseEvent("metadata", { usage: { inputTokens: 10, outputTokens: 20 } }),
  ];
}

const writers: Readonly<Record<Upstream, WriteWire>> = {
  "openai-chat": chat,
  "openai-responses": responses,
  "anthropic-messages": messages,
  gemini,
  "bedrock-converse": converse,
};
