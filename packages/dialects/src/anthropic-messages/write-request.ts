import type { WriteTarget, WrittenRequest } from "../hub/codec.ts";
import { longestAnswer, shortUser } from "../hub/limits.ts";
import { spelling } from "../hub/parameters.ts";
import type { HubFormat, HubRequest, HubTool } from "../hub/request.ts";
import type { JsonObject } from "../json/value.ts";
import { claudeWays, type ClaudeWays } from "./claude.ts";
import { jsonTool } from "./json-tool.ts";
import { closedSchema, objectSchema } from "./schema.ts";
import { goesOnWithoutThought, writeThinking } from "./thinking.ts";
import { cacheMembers, textBlocks, writeMessages, type Notes } from "./write-content.ts";

/** A request must name a limit. What most models that are not known here can give. */
const usualMaxTokens = 8192;
/** `metadata.user_id` in https://platform.claude.com/docs/en/api/messages. */
const longestUser = 256;

const onlyJson =
  "Answer with a single JSON object and nothing else: no introduction, no explanation, no code fence around it.";

export function writeMessagesRequest(request: HubRequest, target: WriteTarget): WrittenRequest {
  const notes: Notes = new Set();
  const ways = claudeWays(target.canonicalModel);
  const note = (text: string): void => void notes.add(text);
  const maxTokens = Math.max(1, longestAnswer(request, target, note) ?? target.outputTokens ?? usualMaxTokens);
  const user = shortUser(request.user, longestUser, note);
  const asTool = request.format?.kind === "json_schema" && !ways.schemas ? request.format : null;
  const tools = writeTools(request.tools, asTool, ways, notes);
  const choice = toolChoice(request, asTool !== null);
  const forced = choice?.type === "any" || choice?.type === "tool";
  const messages = writeMessages(request.messages, notes);
  const hindrances = {
    refused: request.reasoning !== null && spelling(target, "reasoning_effort") === null,
    forcesTool: forced,
    bare: request.reasoning !== null && goesOnWithoutThought(messages),
  };
  const thinking = writeThinking(request.reasoning, maxTokens, ways, hindrances, notes);
  const config = {
    ...(thinking.effort === null ? {} : { effort: thinking.effort }),
    ...(request.format?.kind === "json_schema" && ways.schemas
      ? { format: { type: "json_schema", schema: narrowed(request.format.schema, "the schema", notes) } }
      : {}),
  };
  const body: JsonObject = {
    model: target.model,
    max_tokens: maxTokens,
    ...systemMembers(request, notes),
    messages,
    ...(tools.length === 0 ? {} : { tools }),
    ...(tools.length === 0 || choice === null ? {} : { tool_choice: choice }),
    ...thinking.members,
    ...(Object.keys(config).length === 0 ? {} : { output_config: config }),
    ...sampling(request, target, ways, thinking.on, notes),
    ...stopMembers(request, notes),
    ...(user === null ? {} : { metadata: { user_id: user } }),
    ...(request.stream ? { stream: true } : {}),
  };
  for (const [name, value] of [
    ["seed", request.seed],
    ["presence_penalty", request.presencePenalty],
    ["frequency_penalty", request.frequencyPenalty],
  ] as const) {
    if (value !== null && (name === "seed" || value !== 0)) notes.add(`${name} was left out: it is not taken there`);
  }
  return { body: Buffer.from(JSON.stringify(body)), notes: [...notes] };
}

function systemMembers({ system, format }: HubRequest, notes: Notes): JsonObject {
  const blocks = system.flatMap(({ text, cache }) => textBlocks(text, cache, notes));
  if (format?.kind === "json") {
    notes.add("response_format json_object was sent as an instruction: there is no other way to say it there");
    return { system: [...blocks, { type: "text", text: onlyJson }] };
  }
  return blocks.length === 0 ? {} : { system: blocks };
}

function writeTools(
  tools: readonly HubTool[],
  asTool: Extract<HubFormat, { kind: "json_schema" }> | null,
  ways: ClaudeWays,
  notes: Notes,
): readonly JsonObject[] {
  const written = tools.map(({ name, description, parameters, strict, cache }): JsonObject => {
    const schema = objectSchema(parameters);
    const enforced = strict === true && ways.schemas;
    return {
      name,
      ...(description === null ? {} : { description }),
      input_schema: enforced ? narrowed(schema, `the parameters of ${name.slice(0, 60)}`, notes) : schema,
      ...(enforced ? { strict: true } : {}),
      ...cacheMembers(cache),
    };
  });
  if (asTool === null) return written;
  return [
    ...written,
    {
      name: jsonTool,
      description: asTool.description ?? "Gives the answer. Call this, once, with the whole answer as its input.",
      input_schema: objectSchema(asTool.schema),
    },
  ];
}

/** What a strict schema may not say is said in words nowhere, but noted. */
function narrowed(schema: unknown, of: string, notes: Notes): unknown {
  const left = new Set<string>();
  const closed = closedSchema(schema, left);
  if (left.size > 0) notes.add(`${[...left].join(", ")} of ${of} was left out: no such limits are taken there`);
  return closed;
}

function toolChoice(
  { tools, toolChoice: wanted, parallelToolCalls }: HubRequest,
  jsonAsTool: boolean,
): JsonObject | null {
  const single = parallelToolCalls === false ? { disable_parallel_tool_use: true } : {};
  if (jsonAsTool) {
    // The answer is a call as well: with other tools beside it, any of them; without, that one.
    return tools.length === 0 || wanted?.kind === "none"
      ? { type: "tool", name: jsonTool, disable_parallel_tool_use: true }
      : { type: "any", ...single };
  }
  if (wanted === null) return parallelToolCalls === false ? { type: "auto", ...single } : null;
  switch (wanted.kind) {
    case "none":
      return { type: "none" };
    case "auto":
      return { type: "auto", ...single };
    case "required":
      return { type: "any", ...single };
    case "tool":
      return { type: "tool", name: wanted.name, ...single };
  }
}

/** https://platform.claude.com/docs/en/api/messages: `temperature` up to 1; none of them beside thinking. */
function sampling(
  { temperature, topP, topK }: HubRequest,
  target: WriteTarget,
  ways: ClaudeWays,
  thinks: boolean,
  notes: Notes,
): JsonObject {
  const members: Record<string, number> = {};
  const wanted = [
    ["temperature", temperature],
    ["top_p", topP],
    ["top_k", topK],
  ] as const;
  for (const [name, value] of wanted) {
    if (value === null) continue;
    if (spelling(target, name) === null) notes.add(`${name} was left out: it is not taken there`);
    else if (!ways.sampling) notes.add(`${name} was left out: this model does not take it`);
    else if (thinks) {
      if (name !== "temperature" || value !== 1)
        notes.add(`${name} was left out: it is not taken while the model thinks`);
    } else if (name === "top_p" && members.temperature !== undefined && !ways.bothSampling) {
      notes.add("top_p was left out: this model does not take it beside temperature");
    } else if (name === "temperature" && value > 1) {
      notes.add("temperature was lowered to 1, the highest there");
      members[name] = 1;
    } else members[name] = value;
  }
  return members;
}

/** One of nothing but white space is answered with 400. */
function stopMembers({ stop }: HubRequest, notes: Notes): JsonObject {
  const kept = stop.filter((sequence) => sequence.trim() !== "");
  if (kept.length < stop.length)
    notes.add("a stop sequence of nothing but white space was left out: it is not taken there");
  return kept.length === 0 ? {} : { stop_sequences: kept };
}
