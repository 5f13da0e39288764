import { clientError, type ClientError } from "@tuloy/contract";

import type {
  HubFormat,
  HubMessage,
  HubReasoning,
  HubRequest,
  HubText,
  HubTool,
  HubToolChoice,
} from "../hub/request.ts";
import { count, isObject, parseJson, text, type JsonObject } from "../json/value.ts";
import { boundBy } from "./bound.ts";
import { HubItems } from "./hub-items.ts";

/** Members that mean nothing to another dialect, with or without a note. */
const silent: ReadonlySet<string> = new Set([
  // Translated, or read by the gateway.
  "model",
  "input",
  "instructions",
  "tools",
  "tool_choice",
  "parallel_tool_calls",
  "max_output_tokens",
  "temperature",
  "top_p",
  "text",
  "reasoning",
  "user",
  "safety_identifier",
  "stream",
  "stream_options",
  "prompt_cache_key",
  // Repeated in the answer, and about nothing else.
  "metadata",
  // The request says here what holds anyway.
  "background",
  "top_logprobs",
  "store",
  "include",
]);

/** A request as the hub sees it; an error names what of it only a deployment with this dialect can do. */
export function toHub(body: Buffer): HubRequest | ClientError {
  const fields = parseJson(body.toString("utf8"));
  if (!isObject(fields)) return clientError("invalid_request", "The request body must be a JSON object.");
  const bound = boundBy(fields);
  if (bound !== null) {
    return clientError(
      "invalid_request",
      `No deployment that speaks another API can answer this request: it ${bound.why}.`,
      { param: bound.param },
    );
  }
  const items = new HubItems();
  const left: string[] = [];
  const messages = messagesOf(fields.input, items, left);
  const allowed = allowedTools(fields.tool_choice);
  const tools = readTools(fields.tools).filter(({ name }) => allowed === null || allowed.has(name));
  return {
    system: [...instructionsOf(fields.instructions), ...items.system],
    messages,
    tools,
    toolChoice: readToolChoice(fields.tool_choice),
    parallelToolCalls: typeof fields.parallel_tool_calls === "boolean" ? fields.parallel_tool_calls : null,
    maxTokens: count(fields.max_output_tokens),
    temperature: number(fields.temperature),
    topP: number(fields.top_p),
    topK: null,
    stop: [],
    seed: null,
    presencePenalty: null,
    frequencyPenalty: null,
    format: readFormat(fields.text),
    reasoning: readReasoning(fields.reasoning),
    user: text(fields.safety_identifier) ?? text(fields.user),
    stream: fields.stream === true,
    left: [...left, ...unsaid(fields)],
  };
}

function messagesOf(input: unknown, items: HubItems, left: string[]): readonly HubMessage[] {
  if (typeof input === "string") items.user([{ kind: "text", text: input, cache: null }]);
  else if (Array.isArray(input)) {
    for (const [index, item] of input.entries()) if (isObject(item)) items.add(item, `input[${index}]`, left);
  }
  return items.messages;
}

function instructionsOf(instructions: unknown): readonly HubText[] {
  const said = text(instructions);
  return said === null ? [] : [{ kind: "text", text: said, cache: null }];
}

/** What is not set or off says nothing. Only what would change the answer is worth a note. */
function unsaid(fields: JsonObject): string[] {
  const names = Object.keys(fields).filter((name) => {
    const value = fields[name];
    return !silent.has(name) && value !== null && value !== undefined && value !== false && !isDefault(name, value);
  });
  if (isObject(fields.text) && text(fields.text.verbosity) !== null && fields.text.verbosity !== "medium")
    names.push("text.verbosity");
  // What encrypted reasoning there is comes without being asked for.
  if (Array.isArray(fields.include) && fields.include.some((what) => what !== "reasoning.encrypted_content"))
    names.push("include");
  if (fields.store !== false) names.push("store (this answer is kept nowhere: its id can't be retrieved or continued)");
  return names;
}

function isDefault(name: string, value: unknown): boolean {
  return (name === "truncation" && value === "disabled") || (name === "service_tier" && value === "auto");
}

function readTools(tools: unknown): readonly HubTool[] {
  if (!Array.isArray(tools)) return [];
  return tools.filter(isObject).map((tool) => ({
    name: text(tool.name) ?? "",
    description: text(tool.description),
    parameters: isObject(tool.parameters) ? tool.parameters : null,
    strict: typeof tool.strict === "boolean" ? tool.strict : null,
    cache: null,
  }));
}

function readToolChoice(choice: unknown): HubToolChoice | null {
  if (choice === "auto" || choice === "none" || choice === "required") return { kind: choice };
  if (!isObject(choice)) return null;
  if (choice.type === "function") return { kind: "tool", name: text(choice.name) ?? "" };
  return choice.type === "allowed_tools" ? { kind: choice.mode === "required" ? "required" : "auto" } : null;
}

/** The names that `allowed_tools` leaves; null: all. Tools that may not be called are as good as absent. */
function allowedTools(choice: unknown): ReadonlySet<string> | null {
  if (!isObject(choice) || choice.type !== "allowed_tools" || !Array.isArray(choice.tools)) return null;
  return new Set(choice.tools.filter(isObject).map((tool) => text(tool.name) ?? ""));
}

function readFormat(value: unknown): HubFormat | null {
  const format = isObject(value) ? value.format : null;
  if (!isObject(format)) return null;
  if (format.type === "json_object") return { kind: "json" };
  if (format.type !== "json_schema") return null;
  return {
    kind: "json_schema",
    name: text(format.name) ?? "answer",
    description: text(format.description),
    schema: format.schema ?? null,
    strict: typeof format.strict === "boolean" ? format.strict : null,
  };
}

function readReasoning(value: unknown): HubReasoning | null {
  if (!isObject(value)) return null;
  const effort = text(value.effort);
  // `generate_summary` is the older name.
  const summary = text(value.summary) ?? text(value.generate_summary);
  if (effort === null && summary === null) return null;
  return {
    enabled: effort !== "none",
    effort: effort === "none" ? null : effort,
    budget: null,
    shown: summary === null ? null : true,
  };
}

function number(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}
