import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";

/** What is asked, in no dialect's words. */
export interface Asked {
  readonly turns: readonly AskedTurn[];
  readonly system?: string;
  readonly tools?: readonly string[];
  /** Members of a flat object of texts. */
  readonly schema?: readonly string[];
  readonly thinks?: boolean;
}

export type AskedTurn =
  | { readonly user: string; /** Of a PNG, in base64. */ readonly image?: string }
  | { readonly said: Heard }
  | { readonly results: readonly { readonly id: string; readonly name: string; readonly output: string }[] };

/** What an SDK parsed of an answer, and in `own` what its user puts into the history. */
export interface Heard {
  /** The model that answered. */
  readonly model: string;
  /** What kind of object the answer is, whose, and of what kind its id is. */
  readonly frame: readonly string[];
  readonly thought: string;
  readonly text: string;
  readonly refusal: string;
  readonly calls: readonly { readonly id: string; readonly name: string; readonly input: unknown }[];
  readonly finish: unknown;
  /** Input, of it what a cache held, output, of it what was thought, what was written to a cache, and a total where there is one. */
  readonly usage: readonly (number | null | undefined)[];
  readonly own: unknown;
}

/** A client library in one of the dialects that it speaks. */
export interface Client {
  readonly dialect: "openai-chat" | "openai-responses" | "anthropic-messages";
  ask(at: Place, asked: Asked, stream: boolean): Promise<Heard>;
}

export interface Place {
  readonly url: string;
  readonly key: string;
  readonly model: string;
  /** Further ones. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Told each piece of a stream's text as the SDK gives it to its caller, whatever becomes of the stream. */
  readonly hears?: (piece: string) => void;
}

export const limit = 4000;
export const budget = 2000;

export function objectOf(members: readonly string[]) {
  return {
    type: "object" as const,
    properties: Object.fromEntries(members.map((member) => [member, { type: "string" as const }])),
    required: [...members],
    additionalProperties: false as const,
  };
}

export const places = objectOf(["at"]);
/** Other providers' ids stay as they are, so that only their being there is the same. */
const kindOf = (id: string): string => (id === "" ? "" : typeof id);
const nobody = (): void => {};
const dataUrl = (image: string): string => `data:image/png;base64,${image}`;

const chat: Client = {
  dialect: "openai-chat",
  async ask({ url, key, model, headers, hears = nobody }, asked, stream) {
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0, defaultHeaders: headers });
    const body = { model, ...chatBody(asked) };
    if (!stream) return heardChat(await client.chat.completions.create(body));
    const run = client.chat.completions.stream({ ...body, stream_options: { include_usage: true } });
    let thought = "";
    // The SDK keeps only the last piece of what it does not know.
    run.on("chunk", ({ choices: [choice] }) => {
      thought += (choice?.delta as { reasoning_content?: string } | undefined)?.reasoning_content ?? "";
    });
    run.on("content", hears);
    return { ...heardChat(await run.finalChatCompletion()), thought };
  },
};

function chatBody({ turns, system, tools = [], schema, thinks }: Asked) {
  const messages: OpenAI.ChatCompletionMessageParam[] =
    system === undefined ? [] : [{ role: "system", content: system }];
  for (const turn of turns) {
    if ("said" in turn) messages.push(turn.said.own as OpenAI.ChatCompletionMessage);
    else if ("results" in turn) {
      for (const { id, output } of turn.results) messages.push({ role: "tool", tool_call_id: id, content: output });
    } else if (turn.image === undefined) messages.push({ role: "user", content: turn.user });
    else {
      const content: OpenAI.ChatCompletionContentPart[] = [
        { type: "text", text: turn.user },
        { type: "image_url", image_url: { url: dataUrl(turn.image) } },
      ];
      messages.push({ role: "user", content });
    }
  }
  return {
    messages,
    max_completion_tokens: limit,
    ...(tools.length === 0
      ? {}
      : { tools: tools.map((name) => ({ type: "function" as const, function: { name, parameters: places } })) }),
    ...(schema === undefined
      ? {}
      : {
          response_format: {
            type: "json_schema" as const,
            json_schema: { name: "answer", schema: objectOf(schema), strict: true },
          },
        }),
    ...(thinks === true ? { reasoning_effort: "low" as const } : {}),
  };
}

function heardChat({ id, object, model, choices, usage }: OpenAI.ChatCompletion): Heard {
  const [choice] = choices;
  if (choice === undefined) throw new Error("an answer without a choice");
  const { message, finish_reason: finish } = choice;
  const { reasoning_content: thought } = message as { reasoning_content?: string };
  return {
    model,
    frame: [object, message.role, kindOf(id)],
    thought: thought ?? "",
    text: message.content ?? "",
    refusal: message.refusal ?? "",
    calls: (message.tool_calls ?? []).map((call) => {
      if (call.type !== "function") throw new Error(`a call of type ${call.type}`);
      return { id: call.id, name: call.function.name, input: JSON.parse(call.function.arguments) as unknown };
    }),
    finish,
    usage: [
      usage?.prompt_tokens,
      usage?.prompt_tokens_details?.cached_tokens,
      usage?.completion_tokens,
      usage?.completion_tokens_details?.reasoning_tokens,
      usage?.prompt_tokens_details?.cache_write_tokens,
      usage?.total_tokens,
    ],
    own: message,
  };
}

const responses: Client = {
  dialect: "openai-responses",
  async ask({ url, key, model, headers, hears = nobody }, asked, stream) {
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0, defaultHeaders: headers });
    const body = { model, ...responsesBody(asked) };
    if (!stream) return heardResponse(await client.responses.create(body));
    const run = client.responses.stream(body).on("response.output_text.delta", ({ delta }) => hears(delta));
    return heardResponse(await run.finalResponse());
  },
};

function responsesBody({ turns, system, tools = [], schema, thinks }: Asked) {
  const input: OpenAI.Responses.ResponseInputItem[] = [];
  for (const turn of turns) {
    if ("said" in turn) input.push(...(turn.said.own as OpenAI.Responses.ResponseInputItem[]));
    else if ("results" in turn) {
      for (const { id, output } of turn.results) input.push({ type: "function_call_output", call_id: id, output });
    } else if (turn.image === undefined) input.push({ role: "user", content: turn.user });
    else {
      const content: OpenAI.Responses.ResponseInputContent[] = [
        { type: "input_text", text: turn.user },
        { type: "input_image", image_url: dataUrl(turn.image), detail: "auto" },
      ];
      input.push({ role: "user", content });
    }
  }
  const format = schema && { type: "json_schema" as const, name: "answer", schema: objectOf(schema), strict: true };
  return {
    input,
    max_output_tokens: limit,
    // Nothing is kept, so a thought has to come along with its seal.
    store: false,
    include: ["reasoning.encrypted_content" as const],
    ...(system === undefined ? {} : { instructions: system }),
    ...(tools.length === 0
      ? {}
      : { tools: tools.map((name) => ({ type: "function" as const, name, parameters: places, strict: true })) }),
    ...(format === undefined ? {} : { text: { format } }),
    ...(thinks === true ? { reasoning: { effort: "low" as const, summary: "auto" as const } } : {}),
  };
}

function heardResponse(response: OpenAI.Responses.Response): Heard {
  const { id, object, model, output, status, incomplete_details, usage } = response;
  // Servers that are not OpenAI's leave out what the SDK takes for granted.
  const details: Partial<Pick<OpenAI.Responses.ResponseUsage, "input_tokens_details" | "output_tokens_details">> = {
    ...usage,
  };
  const contents = output.flatMap((item) => (item.type === "message" ? item.content : []));
  return {
    model,
    frame: [object, kindOf(id)],
    thought: output
      .flatMap((item) => (item.type === "reasoning" ? item.summary : []))
      .map(({ text }) => text)
      .join(""),
    text: contents.map((part) => (part.type === "output_text" ? part.text : "")).join(""),
    refusal: contents.map((part) => (part.type === "refusal" ? part.refusal : "")).join(""),
    calls: output.flatMap((item) =>
      item.type === "function_call"
        ? [{ id: item.call_id, name: item.name, input: JSON.parse(item.arguments) as unknown }]
        : [],
    ),
    finish: [status, incomplete_details?.reason],
    usage: [
      usage?.input_tokens,
      details.input_tokens_details?.cached_tokens,
      usage?.output_tokens,
      details.output_tokens_details?.reasoning_tokens,
      details.input_tokens_details?.cache_write_tokens,
      usage?.total_tokens,
    ],
    own: output,
  };
}

const messages: Client = {
  dialect: "anthropic-messages",
  async ask({ url, key, model, headers, hears = nobody }, asked, stream) {
    const client = new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0, defaultHeaders: headers });
    const body = { model, ...messagesBody(asked) };
    if (!stream) return heardMessage(await client.messages.create(body));
    return heardMessage(await client.messages.stream(body).on("text", hears).finalMessage());
  },
};

function messagesBody({ turns, system, tools = [], schema, thinks }: Asked) {
  const messages = turns.map((turn): Anthropic.MessageParam => {
    if ("said" in turn) return { role: "assistant", content: turn.said.own as Anthropic.ContentBlock[] };
    if ("results" in turn) {
      const content = turn.results.map(({ id, output }) => ({
        type: "tool_result" as const,
        tool_use_id: id,
        content: output,
      }));
      return { role: "user", content };
    }
    if (turn.image === undefined) return { role: "user", content: turn.user };
    return {
      role: "user",
      content: [
        { type: "text", text: turn.user },
        { type: "image", source: { type: "base64", media_type: "image/png", data: turn.image } },
      ],
    };
  });
  return {
    messages,
    max_tokens: limit,
    ...(system === undefined ? {} : { system }),
    ...(tools.length === 0 ? {} : { tools: tools.map((name) => ({ name, input_schema: places })) }),
    ...(schema === undefined
      ? {}
      : { output_config: { format: { type: "json_schema" as const, schema: objectOf(schema) } } }),
    ...(thinks === true ? { thinking: { type: "enabled" as const, budget_tokens: budget } } : {}),
  };
}

function heardMessage({ id, type, role, model, content, stop_reason, usage }: Anthropic.Message): Heard {
  return {
    model,
    frame: [type, role, kindOf(id)],
    thought: content.map((block) => (block.type === "thinking" ? block.thinking : "")).join(""),
    text: content.map((block) => (block.type === "text" ? block.text : "")).join(""),
    refusal: "",
    calls: content.flatMap((block) =>
      block.type === "tool_use" ? [{ id: block.id, name: block.name, input: block.input }] : [],
    ),
    finish: stop_reason,
    usage: [
      usage.input_tokens,
      usage.cache_read_input_tokens,
      usage.output_tokens,
      usage.output_tokens_details?.thinking_tokens,
      usage.cache_creation_input_tokens,
    ],
    own: content,
  };
}

/** The three official SDKs' ways to ask. */
export const official = { chat, responses, messages } as const;
