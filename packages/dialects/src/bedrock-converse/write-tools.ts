import { closedSchema, objectSchema } from "../anthropic-messages/schema.ts";
import type { HubRequest, HubTool } from "../hub/request.ts";
import type { JsonObject } from "../json/value.ts";
import { jsonTool, jsonToolName } from "./json-tool.ts";
import type { ModelWays } from "./models.ts";
import { cachePoint } from "./write-messages.ts";

type Asked = Pick<HubRequest, "tools" | "toolChoice" | "format" | "parallelToolCalls">;

export interface WrittenTools {
  /** Null: none. */
  readonly config: JsonObject | null;
  /** The model has to call one, which Claude does not while it thinks. */
  readonly forced: boolean;
}

/**
 * The tools and which of them are to be called.
 * @param called names of tools in earlier turns: "The toolConfig field must be defined when using toolUse and toolResult content
 * blocks", even where this request has none
 */
export function writeTools(
  { tools, toolChoice, format, parallelToolCalls }: Asked,
  called: ReadonlySet<string>,
  ways: ModelWays,
  notes: Set<string>,
): WrittenTools {
  const json = format?.kind === "json_schema" && ways.schemas === "tool" ? jsonTool(format) : null;
  const none = toolChoice?.kind === "none";
  // Without its tools a model can't call any; but what was called before has to stay declared.
  const offered = none && called.size === 0 ? [] : tools;
  const declared = offered.flatMap((tool) => toolBlocks(tool, ways, notes));
  const missing = [...called].filter((name) => name !== jsonToolName && !offered.some((tool) => tool.name === name));
  for (const name of missing) declared.push({ toolSpec: { name, inputSchema: { json: objectSchema(null) } } });
  if (none && called.size > 0) notes.add("tool_choice none was left out: tools were called before, and can be again");
  if (parallelToolCalls === false && offered.length > 0) notes.add("parallel_tool_calls: false was left out");
  if (json !== null) declared.push(json);
  if (declared.length === 0) return { config: null, forced: false };

  const choice = choiceOf(json !== null, offered.length > 0 && !none, toolChoice);
  return { config: { tools: declared, ...(choice === null ? {} : { toolChoice: choice }) }, forced: choice !== null };
}

/** Null: the model decides. */
function choiceOf(json: boolean, callable: boolean, choice: HubRequest["toolChoice"]): JsonObject | null {
  if (choice?.kind === "tool") return { tool: { name: choice.name } };
  if (json) return callable ? { any: {} } : { tool: { name: jsonToolName } };
  return choice?.kind === "required" ? { any: {} } : null;
}

function toolBlocks(
  { name, description, parameters, strict, cache }: HubTool,
  ways: ModelWays,
  notes: Set<string>,
): JsonObject[] {
  const closed = strict === true && ways.strictTools;
  if (strict === true && !closed) notes.add("strict was left out of the tools");
  const left = new Set<string>();
  const schema = closed ? closedSchema(objectSchema(parameters), left) : objectSchema(parameters);
  if (left.size > 0) notes.add(`${[...left].join(", ")} was left out of the schema of ${name}`);
  const spec: JsonObject = {
    toolSpec: {
      name,
      ...(description === null || description === "" ? {} : { description }),
      inputSchema: { json: schema },
      ...(closed ? { strict: true } : {}),
    },
  };
  if (cache === null) return [spec];
  if (ways.caches === "not_tools") {
    notes.add("prompt-cache marks were left out of the tools");
    return [spec];
  }
  const point = cachePoint(cache, ways, notes);
  return point === null ? [spec] : [spec, point];
}
