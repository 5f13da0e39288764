import type { ClientError } from "@tuloy/contract";

import type {
  HubFormat,
  HubMessage,
  HubReasoning,
  HubRequest,
  HubText,
  HubTool,
  HubToolChoice,
} from "../hub/request.ts";
import { invalidField } from "../json/invalid-field.ts";
import { count, isObject, parseJson, text, type JsonObject } from "../json/value.ts";
import { isForTheGateway } from "../overrides/read.ts";
import { anthropicsOwn, isCustomTool } from "./own.ts";
import { readCache, readContent, type ContentNotes } from "./read-content.ts";

/** Members that the hub has a place for, or that say nothing to anybody else. */
const understood: ReadonlySet<string> = new Set([
  "model",
  "messages",
  "system",
  "max_tokens",
  "metadata",
  "output_config",
  "output_format",
  "stop_sequences",
  "stream",
  "temperature",
  "thinking",
  "tool_choice",
  "tools",
  "top_k",
  "top_p",
]);

/** A body of `POST /messages` as the hub sees it. */
export function messagesToHub(body: Buffer): HubRequest | ClientError {
  const fields = parseJson(body.toString("utf8"));
  if (!isObject(fields) || !Array.isArray(fields.messages)) {
    return invalidField("messages", 'The field "messages" must be an array of messages.');
  }
  const own = anthropicsOwn(fields);
  if (own !== null) return own;
  const notes: ContentNotes = { toolNames: new Map(), left: new Set() };
  const system = readSystem(fields.system, notes);
  const messages = readMessages(fields.messages, notes);
  const tools = readTools(fields.tools, notes);
  const choice = isObject(fields.tool_choice) ? fields.tool_choice : null;
  for (const [key, value] of Object.entries(fields)) {
    if (value !== null && !understood.has(key) && !isForTheGateway(key)) notes.left.add(key.slice(0, 60));
  }
  return {
    system,
    messages,
    tools,
    toolChoice: choice === null ? null : readToolChoice(choice),
    parallelToolCalls:
      typeof choice?.disable_parallel_tool_use === "boolean" ? !choice.disable_parallel_tool_use : null,
    maxTokens: count(fields.max_tokens),
    temperature: count(fields.temperature),
    topP: count(fields.top_p),
    topK: count(fields.top_k),
    stop: strings(fields.stop_sequences),
    seed: null,
    presencePenalty: null,
    frequencyPenalty: null,
    format: readFormat(fields),
    reasoning: readReasoning(fields),
    user: isObject(fields.metadata) ? text(fields.metadata.user_id) : null,
    stream: fields.stream === true,
    left: [...notes.left],
  };
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function readSystem(system: unknown, notes: ContentNotes): readonly HubText[] {
  return readContent(system, notes).filter((part) => part.kind === "text");
}

function readMessages(messages: readonly unknown[], notes: ContentNotes): readonly HubMessage[] {
  const read: HubMessage[] = [];
  for (const message of messages) {
    if (!isObject(message)) continue;
    // An instruction in the middle of a conversation: elsewhere only the end user speaks there.
    if (message.role === "system") notes.left.add("the rank of system messages inside the conversation");
    const parts = readContent(message.content, notes);
    read.push({ role: message.role === "assistant" ? "assistant" : "user", parts });
  }
  return read;
}

/** What only changes how Anthropic's models are told about a tool. */
const toolExtras = ["allowed_callers", "defer_loading", "eager_input_streaming", "input_examples"] as const;

function readTools(tools: unknown, { left }: ContentNotes): readonly HubTool[] {
  const read: HubTool[] = [];
  for (const tool of Array.isArray(tools) ? tools : []) {
    if (!isObject(tool) || !isCustomTool(tool)) continue;
    for (const extra of toolExtras) if (tool[extra] !== undefined) left.add(`${extra} of tools`);
    read.push({
      name: text(tool.name) ?? "",
      description: text(tool.description),
      parameters: tool.input_schema ?? null,
      strict: typeof tool.strict === "boolean" ? tool.strict : null,
      cache: readCache(tool),
    });
  }
  return read;
}

function readToolChoice(choice: JsonObject): HubToolChoice | null {
  if (choice.type === "auto" || choice.type === "none") return { kind: choice.type };
  if (choice.type === "any") return { kind: "required" };
  return choice.type === "tool" ? { kind: "tool", name: text(choice.name) ?? "" } : null;
}

/** `output_format` is its name from before it was generally available, and is still taken. */
function readFormat(fields: JsonObject): HubFormat | null {
  const config = isObject(fields.output_config) ? fields.output_config.format : null;
  const format = config ?? fields.output_format;
  if (!isObject(format) || format.type !== "json_schema") return null;
  return { kind: "json_schema", name: "answer", description: null, schema: format.schema ?? {}, strict: true };
}

/** Effort alone asks for no thinking of models that can do without, but it is what others take for the same wish. */
function readReasoning({ thinking, output_config: config }: JsonObject): HubReasoning | null {
  const stated = isObject(config) ? text(config.effort) : null;
  const effort = stated === "max" ? "xhigh" : stated;
  if (!isObject(thinking)) return effort === null ? null : { enabled: true, effort, budget: null, shown: null };
  const shown = thinking.display === "summarized" ? true : thinking.display === "omitted" ? false : null;
  if (thinking.type === "adaptive") return { enabled: true, effort, budget: null, shown };
  // Whoever names a budget gets to see what it was spent on, unless told otherwise.
  if (thinking.type === "enabled")
    return { enabled: true, effort, budget: count(thinking.budget_tokens), shown: shown ?? true };
  // Also `between_tools`: no thinking before an answer.
  return { enabled: false, effort, budget: null, shown };
}
