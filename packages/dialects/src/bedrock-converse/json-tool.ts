import { objectSchema } from "../anthropic-messages/schema.ts";
import type { HubFormat } from "../hub/request.ts";
import type { JsonObject } from "../json/value.ts";

/**
 * The tool that a model without an output format of its own is made to call with its answer. Whoever reads an answer takes a call
 * of it for the answer's text, by this name alone: the request is not there any more.
 */
export const jsonToolName = "tuloy_json_answer";

/** Its input has the schema that the answer shall have: an answer in JSON is an object. */
export function jsonTool(format: Extract<HubFormat, { readonly kind: "json_schema" }>): JsonObject {
  return {
    toolSpec: {
      name: jsonToolName,
      description:
        format.description === null || format.description === ""
          ? "Give your whole answer to the user by calling this tool: its input is what the user gets."
          : format.description,
      inputSchema: { json: objectSchema(format.schema) },
    },
  };
}
