import type { ReceivedRequest } from "@tuloy/testkit";

import type { Spoken } from "./said.ts";

type Json = Readonly<Record<string, unknown>>;

/** One thing of a conversation, in no dialect's words. */
type Piece =
  | readonly [who: "user" | "assistant", kind: "text", text: string]
  | readonly [who: "user", kind: "image", data: string]
  | readonly [who: "assistant", kind: "call", id: string, name: string, input: string]
  | readonly [who: "user", kind: "result", id: string, output: string];

/** What a provider was asked, as far as every dialect has words for it. Thoughts are their maker's alone. */
export interface Arrived {
  readonly pieces: readonly Piece[];
  readonly system: string;
  /** Each as its name and the members of its input. */
  readonly tools: readonly string[];
  /** The members of the answer that is wanted. */
  readonly schema: readonly string[] | null;
  readonly limit: unknown;
  readonly thinks: boolean;
  readonly stream: boolean;
}

/** Reads a request as strictly as its provider does: what that would answer with 400 is an error here. */
export const arrived: Readonly<Record<Spoken, (request: ReceivedRequest) => Arrived>> = {
  "openai-chat": readChat,
  "openai-responses": readResponses,
  "anthropic-messages": readMessages,
  gemini: readGemini,
  "bedrock-converse": readConverse,
};

function readChat(request: ReceivedRequest): Arrived {
  const body = request.json() as Json;
  const pieces: Piece[] = [];
  const system: string[] = [];
  let open: string[] = [];
  for (const message of list(body.messages)) {
    const { role, content } = message;
    if (role !== "tool") must(open.length === 0, `no result for ${open.join()}`);
    if (role === "system" || role === "developer") system.push(textOf(content));
    else if (role === "tool") {
      const id = String(message.tool_call_id);
      must(open.includes(id), `a result for ${id}, which was not called`);
      open = open.filter((one) => one !== id);
      pieces.push(["user", "result", id, textOf(content)]);
    } else if (role === "user") {
      for (const part of parts(content)) {
        if (part.type === "image_url") pieces.push(["user", "image", String(at(part, "image_url").url)]);
        else pieces.push(["user", "text", String(part.text)]);
      }
    } else {
      must(role === "assistant", `a role ${String(role)}`);
      const calls = list(message.tool_calls);
      must(content !== null || calls.length > 0, "an assistant's message with nothing in it");
      // Beside calls an empty text is nothing: so the official SDK puts a stream's message together.
      const texts = calls.length > 0 && content === "" ? [] : parts(content);
      for (const part of texts) pieces.push(["assistant", "text", String(part.text)]);
      for (const { id, type, function: called } of calls) {
        must(type === "function", `a call of type ${String(type)}`);
        const { name, arguments: json } = called as { name: string; arguments: string };
        // "string too long. Expected a string with maximum length 40"
        must(/^.{1,40}$/.test(String(id)), `the id ${String(id)}`);
        pieces.push(["assistant", "call", String(id), name, sorted(JSON.parse(json))]);
        open.push(String(id));
      }
    }
  }
  must(open.length === 0, `no result for ${open.join()}`);
  const format = at(body, "response_format");
  return {
    pieces,
    system: system.join("\n"),
    tools: list(body.tools).map(({ function: made }) => toolOf((made as Json).name, (made as Json).parameters)),
    schema: format.type === "json_schema" ? members(at(format, "json_schema").schema) : null,
    limit: body.max_completion_tokens ?? body.max_tokens,
    thinks: "reasoning_effort" in body,
    stream: body.stream === true,
  };
}

function readResponses(request: ReceivedRequest): Arrived {
  const body = request.json() as Json;
  const pieces: Piece[] = [];
  const system = typeof body.instructions === "string" ? [body.instructions] : [];
  const called = new Set<string>();
  const answered = new Set<string>();
  const prefixes: Readonly<Record<string, string>> = { function_call: "fc", reasoning: "rs", message: "msg" };
  const input = typeof body.input === "string" ? [{ role: "user", content: body.input } as Json] : list(body.input);
  for (const item of input) {
    const type = typeof item.type === "string" ? item.type : "message";
    // "Invalid 'input[1].id': 'call_1'. Expected an ID that begins with 'fc'."
    if (typeof item.id === "string") must(item.id.startsWith(prefixes[type] ?? "?"), `the id ${item.id} of a ${type}`);
    if (type === "reasoning") {
      // "Item with id 'rs_…' not found. Items are not persisted when `store` is set to false."
      must(typeof item.encrypted_content === "string" && item.encrypted_content !== "", "a thought without its seal");
    } else if (type === "function_call") {
      const id = String(item.call_id);
      must(/^.{1,64}$/.test(id), `the id ${id}`);
      called.add(id);
      pieces.push(["assistant", "call", id, String(item.name), sorted(JSON.parse(String(item.arguments)))]);
    } else if (type === "function_call_output") {
      const id = String(item.call_id);
      must(called.has(id), `a result for ${id}, which was not called`);
      answered.add(id);
      pieces.push(["user", "result", id, textOf(item.output)]);
    } else {
      const { role } = item;
      for (const part of parts(item.content)) {
        if (part.type === "input_image") pieces.push(["user", "image", String(part.image_url)]);
        else if (role === "system" || role === "developer") system.push(String(part.text));
        else {
          const who = role === "assistant" ? "assistant" : "user";
          const known = who === "user" ? ["text", "input_text"] : ["text", "output_text"];
          must(known.includes(String(part.type)), `${String(part.type)} of the ${who}`);
          pieces.push([who, "text", String(part.text)]);
        }
      }
    }
  }
  // "No tool output found for function call call_1."
  for (const id of called) must(answered.has(id), `no result for ${id}`);
  const format = at(at(body, "text"), "format");
  return {
    pieces,
    system: system.join("\n"),
    tools: list(body.tools).map(({ name, parameters }) => toolOf(name, parameters)),
    schema: format.type === "json_schema" ? members(format.schema) : null,
    limit: body.max_output_tokens,
    thinks: at(body, "reasoning").effort !== undefined,
    stream: body.stream === true,
  };
}

function readMessages(request: ReceivedRequest): Arrived {
  const body = request.json() as Json;
  const thinking = at(body, "thinking");
  const thinks = thinking.type === "enabled" || thinking.type === "adaptive";
  must(typeof body.max_tokens === "number", "max_tokens: Field required");
  if (thinking.type === "enabled") must(Number(thinking.budget_tokens) < body.max_tokens, "a budget above max_tokens");
  const turns = alternating(list(body.messages), "assistant").map(({ role, content }) => ({
    role,
    blocks: parts(content).map((block): Block => {
      switch (block.type) {
        case "text":
          return { kind: "text", text: String(block.text) };
        case "image": {
          const { media_type: media, data } = at(block, "source");
          return { kind: "image", data: `data:${String(media)};base64,${String(data)}` };
        }
        case "tool_use":
          return { kind: "call", id: String(block.id), name: String(block.name), input: block.input };
        case "tool_result":
          return { kind: "result", id: String(block.tool_use_id), output: textOf(block.content) };
        case "redacted_thinking":
          must(isSeal(block.data), `the data ${String(block.data)}`);
          return { kind: "thought" };
        default: {
          must(block.type === "thinking", `a block of type ${String(block.type)}`);
          // "Invalid `signature` in `thinking` block"
          must(isSeal(block.signature), `the signature ${String(block.signature)}`);
          return { kind: "thought" };
        }
      }
    }),
  }));
  if (thinks) thoughtFirst(turns);
  const format = at(at(body, "output_config"), "format");
  return {
    pieces: piecesOf(turns, /^[a-zA-Z0-9_-]+$/),
    system: textOf(body.system),
    tools: list(body.tools).map(({ name, input_schema: schema }) => toolOf(name, schema)),
    schema: format.type === "json_schema" ? members(format.schema) : null,
    limit: body.max_tokens,
    thinks,
    stream: body.stream === true,
  };
}

function readConverse(request: ReceivedRequest): Arrived {
  const body = request.json() as Json;
  const turns = alternating(list(body.messages), "assistant").map(({ role, content }) => ({
    role,
    blocks: list(content).map((block): Block => {
      if ("text" in block) return { kind: "text", text: String(block.text) };
      if ("image" in block) {
        const { format, source } = at(block, "image") as { format: string; source: { bytes: string } };
        return { kind: "image", data: `data:image/${format};base64,${source.bytes}` };
      }
      if ("toolUse" in block) {
        const { toolUseId: id, name, input } = at(block, "toolUse");
        return { kind: "call", id: String(id), name: String(name), input };
      }
      if ("toolResult" in block) {
        const { toolUseId: id, content: output } = at(block, "toolResult");
        return { kind: "result", id: String(id), output: textOf(output) };
      }
      const thought = at(block, "reasoningContent");
      const seal = thought.redactedContent ?? at(thought, "reasoningText").signature;
      must(isSeal(seal), `the signature ${String(seal)}`);
      return { kind: "thought" };
    }),
  }));
  const pieces = piecesOf(turns, /^[a-zA-Z0-9_-]{1,64}$/);
  const tools = list(at(body, "toolConfig").tools);
  // "The toolConfig field must be defined when using toolUse and toolResult content blocks."
  must(tools.length > 0 || !pieces.some(([, kind]) => kind === "call" || kind === "result"), "no toolConfig");
  const structure = at(at(at(body, "outputConfig"), "textFormat"), "structure");
  const { schema } = at(structure, "jsonSchema");
  const thinking = at(at(body, "additionalModelRequestFields"), "thinking");
  const thinks = thinking.type === "enabled" || thinking.type === "adaptive";
  if (thinks) thoughtFirst(turns);
  return {
    pieces,
    system: textOf(body.system),
    tools: tools.map((one) => {
      const { name, inputSchema } = at(one, "toolSpec");
      return toolOf(name, (inputSchema as Json).json);
    }),
    schema: typeof schema === "string" ? members(JSON.parse(schema)) : null,
    limit: at(body, "inferenceConfig").maxTokens,
    thinks,
    stream: request.path.endsWith("/converse-stream"),
  };
}

function readGemini(request: ReceivedRequest): Arrived {
  const body = request.json() as Json;
  const turns = alternating(list(body.contents), "model").map(({ role, parts: all }) => {
    let calls = 0;
    const blocks = list(all).map((part): Block => {
      if ("functionCall" in part) {
        // "Function call is missing a thought_signature in functionCall parts."
        if (calls++ === 0) must(typeof part.thoughtSignature === "string", "a first call that is not signed");
        const { id, name, args } = at(part, "functionCall");
        return { kind: "call", id: String(id), name: String(name), input: args };
      }
      if ("functionResponse" in part) {
        const { id, response } = at(part, "functionResponse");
        return { kind: "result", id: String(id), output: String((response as Json).output) };
      }
      if ("inlineData" in part) {
        const { mimeType, data } = at(part, "inlineData");
        return { kind: "image", data: `data:${String(mimeType)};base64,${String(data)}` };
      }
      return part.thought === true ? { kind: "thought" } : { kind: "text", text: String(part.text) };
    });
    return { role: role === "model" ? "assistant" : role, blocks };
  });
  const config = at(body, "generationConfig");
  const thinking = at(config, "thinkingConfig");
  return {
    pieces: piecesOf(turns, /./),
    system: textOf(at(body, "systemInstruction").parts),
    tools: list(body.tools)
      .flatMap((one) => list(one.functionDeclarations))
      .map(({ name, parametersJsonSchema: schema }) => toolOf(name, schema)),
    schema: config.responseMimeType === "application/json" ? members(config.responseJsonSchema) : null,
    limit: config.maxOutputTokens,
    thinks: "thinkingLevel" in thinking,
    stream: request.path.includes(":streamGenerateContent"),
  };
}

type Block =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "image"; readonly data: string }
  | { readonly kind: "call"; readonly id: string; readonly name: string; readonly input: unknown }
  | { readonly kind: "result"; readonly id: string; readonly output: string }
  | { readonly kind: "thought" };

interface Turn {
  readonly role: unknown;
  readonly blocks: readonly Block[];
}

/** The user begins and ends, and nobody speaks twice. */
function alternating(turns: readonly Json[], model: string): readonly Json[] {
  for (const [index, { role }] of turns.entries()) {
    must(role === (index % 2 === 0 ? "user" : model), `turn ${index} is the ${String(role)}'s`);
  }
  must(turns.length % 2 === 1, "the last turn is not the user's");
  return turns;
}

/** The results of all calls of a turn open the next one, and there are no others. */
function piecesOf(turns: readonly Turn[], id: RegExp): readonly Piece[] {
  let open: string[] = [];
  return turns.flatMap(({ role, blocks }, index) => {
    must(blocks.length > 0, `turn ${index} is empty`);
    const results = blocks.flatMap((block) => (block.kind === "result" ? [block.id] : []));
    same(results, open);
    must(
      blocks.slice(0, open.length).every(({ kind }) => kind === "result"),
      "a result that does not open its turn",
    );
    open = blocks.flatMap((block) => (block.kind === "call" ? [block.id] : []));
    must(new Set(open).size === open.length, "two calls with one id");
    for (const one of open) must(id.test(one), `the id ${one}`);
    return blocks.flatMap((block) => pieceOf(block, role));
  });
}

/**
 * "When `thinking` is enabled, a final `assistant` message must start with a thinking block (preceding the lastmost set of `tool_use`
 * and `tool_result` blocks)." All that was called for since the user last said something is one message to it.
 */
function thoughtFirst(turns: readonly Turn[]): void {
  const asks = turns.findLastIndex(({ role, blocks }) => role === "user" && blocks[0]?.kind !== "result");
  const answer = turns[asks + 1];
  if (answer !== undefined) must(answer.blocks[0]?.kind === "thought", "calls without their thought");
}

function pieceOf(block: Block, role: unknown): readonly Piece[] {
  const mine = role === "assistant";
  if (block.kind === "thought") {
    must(mine, "a thought of the user's");
    return [];
  }
  if (block.kind === "text") {
    must(block.text.trim() !== "", "a blank text");
    return [[mine ? "assistant" : "user", "text", block.text]];
  }
  must(mine === (block.kind === "call"), `a ${block.kind} in the wrong turn`);
  if (block.kind === "call") return [["assistant", "call", block.id, block.name, sorted(block.input)]];
  return block.kind === "image" ? [["user", "image", block.data]] : [["user", "result", block.id, block.output]];
}

const isSeal = (seal: unknown): boolean => /^[A-Za-z0-9+/]+=*$/.test(String(seal));

function same(results: readonly string[], open: readonly string[]): void {
  const [has, wants] = [results.toSorted().join(), open.toSorted().join()];
  must(has === wants, `results for "${has}" where "${wants}" was called`);
}

function must(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(`a provider would refuse this: ${otherwise}`);
}

function list(value: unknown): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

/** A text stands for one part of it. */
function parts(content: unknown): readonly Json[] {
  return typeof content === "string" ? [{ type: "text", text: content }] : list(content);
}

function textOf(content: unknown): string {
  return parts(content)
    .map(({ text }) => String(text))
    .join("\n");
}

function at(value: Json, member: string): Json {
  const found = value[member];
  return typeof found === "object" && found !== null ? (found as Json) : {};
}

function members(schema: unknown): readonly string[] {
  return Object.keys(at(schema as Json, "properties"));
}

function toolOf(name: unknown, schema: unknown): string {
  return `${String(name)}(${members(schema).join()})`;
}

/** JSON without what its writer chose. */
function sorted(value: unknown): string {
  const object = value as Json;
  return JSON.stringify(object, Object.keys(object).toSorted());
}
