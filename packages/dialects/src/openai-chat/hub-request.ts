import { clientError, type ClientError } from "@tuloy/contract";

import type { HubFormat, HubReasoning, HubRequest, HubTool, HubToolChoice } from "../hub/request.ts";
import { count, isObject, parseJson, text, type JsonObject } from "../json/value.ts";
import { readMessages } from "./hub-messages.ts";
import { Untranslatable } from "./untranslatable.ts";

/** Members that the hub has a place for, or that say what holds anyway. */
const known: ReadonlySet<string> = new Set([
  "model",
  "messages",
  "stream",
  "stream_options",
  "tools",
  "tool_choice",
  "parallel_tool_calls",
  "max_tokens",
  "max_completion_tokens",
  "temperature",
  "top_p",
  "top_k",
  "stop",
  "seed",
  "presence_penalty",
  "frequency_penalty",
  "response_format",
  "reasoning_effort",
  "reasoning",
  "user",
  "safety_identifier",
  // What uses these is told from the request's capabilities: no dialect is translated into that lacks them.
  "n",
  "logprobs",
  "top_logprobs",
]);

/** Values that ask for nothing. */
const asUsual: Readonly<Record<string, (value: unknown) => boolean>> = {
  store: (value) => value === false,
  service_tier: (value) => value === "auto" || value === "default",
  modalities: (value) => Array.isArray(value) && value.every((each) => each === "text"),
  logit_bias: (value) => isObject(value) && Object.keys(value).length === 0,
};

/** A body of `POST /chat/completions` as the hub has it. */
export function chatToHub(body: Buffer): HubRequest | ClientError {
  const fields = parseJson(body.toString("utf8"));
  if (!isObject(fields)) return clientError("invalid_request", "The request body is not a JSON object.");
  try {
    return toHub(fields);
  } catch (error) {
    if (error instanceof Untranslatable) return clientError("invalid_request", error.message, { param: error.param });
    throw error;
  }
}

function toHub(fields: JsonObject): HubRequest {
  refuseWhatIsChatsAlone(fields);
  const { system, messages, left } = readMessages(Array.isArray(fields.messages) ? fields.messages : []);
  return {
    system,
    messages,
    tools: readTools(fields.tools),
    toolChoice: readToolChoice(fields.tool_choice),
    parallelToolCalls: typeof fields.parallel_tool_calls === "boolean" ? fields.parallel_tool_calls : null,
    maxTokens: count(fields.max_completion_tokens) ?? count(fields.max_tokens),
    temperature: number(fields.temperature),
    topP: number(fields.top_p),
    topK: number(fields.top_k),
    stop: readStop(fields.stop),
    seed: number(fields.seed),
    presencePenalty: number(fields.presence_penalty),
    frequencyPenalty: number(fields.frequency_penalty),
    format: readFormat(fields.response_format),
    reasoning: readReasoning(fields),
    user: text(fields.user) ?? text(fields.safety_identifier),
    stream: fields.stream === true,
    left: [...left, ...membersLeft(fields)],
  };
}

function refuseWhatIsChatsAlone({ functions, function_call: call, audio, modalities }: JsonObject): void {
  if (Array.isArray(functions) && functions.length > 0)
    throw new Untranslatable("functions", "functions is the old form of tools; use tools");
  if (call !== undefined && call !== null && call !== "auto")
    throw new Untranslatable("function_call", "function_call is the old form of tool_choice; use tool_choice");
  if (isObject(audio) || (Array.isArray(modalities) && modalities.includes("audio")))
    throw new Untranslatable("modalities", "a spoken answer is asked for");
}

function membersLeft(fields: JsonObject): string[] {
  return Object.keys(fields)
    .filter(
      (key) => !known.has(key) && fields[key] !== null && !(Object.hasOwn(asUsual, key) && asUsual[key]?.(fields[key])),
    )
    .map((key) => key.slice(0, 60));
}

function number(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

function readStop(stop: unknown): readonly string[] {
  if (typeof stop === "string") return [stop];
  return Array.isArray(stop) ? stop.filter((each): each is string => typeof each === "string") : [];
}

function readTools(tools: unknown): readonly HubTool[] {
  if (!Array.isArray(tools)) return [];
  return tools.map((tool: unknown, index) => {
    const definition = isObject(tool) ? tool.function : null;
    if (!isObject(tool) || tool.type !== "function" || !isObject(definition)) {
      const kind = isObject(tool) ? (text(tool.type)?.slice(0, 60) ?? "unknown") : "unknown";
      throw new Untranslatable(`tools[${index}]`, `a tool of type ${kind} is known to this dialect only`);
    }
    const { name, description, parameters, strict } = definition;
    return {
      name: text(name) ?? "",
      description: text(description),
      parameters: parameters ?? null,
      strict: typeof strict === "boolean" ? strict : null,
      cache: null,
    };
  });
}

function readToolChoice(choice: unknown): HubToolChoice | null {
  if (choice === undefined || choice === null) return null;
  if (choice === "auto" || choice === "none" || choice === "required") return { kind: choice };
  const named = isObject(choice) && choice.type === "function" && isObject(choice.function) ? choice.function : null;
  const name = text(named?.name);
  if (name === null) throw new Untranslatable("tool_choice", "this tool_choice is known to this dialect only");
  return { kind: "tool", name };
}

function readFormat(format: unknown): HubFormat | null {
  if (!isObject(format) || format.type === "text") return null;
  if (format.type === "json_object") return { kind: "json" };
  const given = format.json_schema;
  if (format.type !== "json_schema" || !isObject(given)) {
    throw new Untranslatable("response_format", "this response_format is known to this dialect only");
  }
  return {
    kind: "json_schema",
    name: text(given.name) ?? "answer",
    description: text(given.description),
    schema: given.schema ?? null,
    strict: typeof given.strict === "boolean" ? given.strict : null,
  };
}

/** OpenAI's `reasoning_effort`, or OpenRouter's `reasoning` (https://openrouter.ai/docs/use-cases/reasoning-tokens). */
function readReasoning({ reasoning, reasoning_effort: effort }: JsonObject): HubReasoning | null {
  const wish = isObject(reasoning) ? reasoning : {};
  const stated = text(effort) ?? text(wish.effort);
  const budget = count(wish.max_tokens);
  const enabled = typeof wish.enabled === "boolean" ? wish.enabled : null;
  const shown = typeof wish.exclude === "boolean" ? !wish.exclude : null;
  if (stated === null && budget === null && enabled === null && shown === null) return null;
  if (stated === "none") return { enabled: false, effort: null, budget: null, shown };
  return { enabled: enabled ?? budget !== 0, effort: stated, budget, shown };
}
