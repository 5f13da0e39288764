import { isObject, parseJson, type JsonObject } from "../json/value.ts";

/**
 * What a response object repeats of its request, with the API's defaults where the request says nothing
 * (https://platform.openai.com/docs/api-reference/responses/object). Nothing is kept of a response that is written here.
 */
export function echoOf(request: Buffer): JsonObject {
  const value = parseJson(request.toString("utf8"));
  const fields = isObject(value) ? value : {};
  const said = (name: string, otherwise: unknown): unknown => fields[name] ?? otherwise;
  return {
    access_programs: null,
    background: false,
    instructions: said("instructions", null),
    max_output_tokens: said("max_output_tokens", null),
    max_tool_calls: said("max_tool_calls", null),
    metadata: said("metadata", {}),
    parallel_tool_calls: said("parallel_tool_calls", true),
    previous_response_id: null,
    prompt_cache_key: said("prompt_cache_key", null),
    reasoning: { effort: null, summary: null, ...(isObject(fields.reasoning) ? fields.reasoning : {}) },
    safety_identifier: said("safety_identifier", null),
    service_tier: "default",
    store: false,
    temperature: said("temperature", 1),
    text: { format: { type: "text" }, ...(isObject(fields.text) ? fields.text : {}) },
    tool_choice: said("tool_choice", "auto"),
    tools: said("tools", []),
    top_logprobs: 0,
    top_p: said("top_p", 1),
    truncation: said("truncation", "disabled"),
    user: said("user", null),
  };
}
