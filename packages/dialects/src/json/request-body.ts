import { isUtf8 } from "node:buffer";

import { clientError, type ClientError } from "@tuloy/contract";

import { locateJsonError } from "./locate-error.ts";
import { scanTopLevel, type Member } from "./top-level.ts";
import { isObject, parseJson, type JsonObject } from "./value.ts";

/** A request's nesting, the outermost object included. Real requests have some ten levels, schemas in tools some thirty. */
const maxDepth = 128;

/** A request's body, parsed and with the places of its top-level members. */
export interface RequestBody {
  readonly fields: JsonObject;
  readonly scanned: { readonly members: readonly Member[]; readonly bodyStart: number };
  readonly model: string;
}

/** An error about one field. */
export function invalidField(param: string, message: string): ClientError {
  return clientError("invalid_request", message, { param });
}

/** What a value is, for error messages. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

function lineAndColumn(body: Buffer, offset: number): string {
  const lines = body.toString("utf8", 0, offset).split("\n");
  return `line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}`;
}

/** Reads what all requests have in common: a JSON object with a model. */
export function readRequestBody(body: Buffer): RequestBody | ClientError {
  const scanned = scanTopLevel(body, maxDepth);
  if (scanned.kind === "too_deep") {
    return clientError(
      "invalid_request",
      `The request body nests deeper than ${maxDepth} levels at ${lineAndColumn(body, scanned.offset)}. Flatten it.`,
    );
  }
  const source = body.toString("utf8");
  const fields = parseJson(source);
  if (fields === undefined) return notJson(source);
  if (!isObject(fields) || scanned.kind !== "object") {
    return clientError("invalid_request", `The request body must be a JSON object, but it is ${kindOf(fields)}.`);
  }
  if (!isUtf8(body)) return clientError("invalid_json", "The request body is not UTF-8. Encode it as UTF-8.");
  const model = fields.model;
  if (model === undefined) return invalidField("model", 'The field "model" is missing. Name the model to use.');
  if (typeof model !== "string") {
    return invalidField("model", `The field "model" must be a string, but it is ${kindOf(model)}.`);
  }
  if (model.trim() === "") return invalidField("model", 'The field "model" is empty. Name the model to use.');
  return { fields, scanned, model };
}

function notJson(source: string): ClientError {
  if (source.trim() === "") return clientError("invalid_json", "The request body is empty. Send a JSON object.");
  const { line, column, problem } = locateJsonError(source);
  return clientError(
    "invalid_json",
    `The request body is not valid JSON: at line ${line}, column ${column}, ${problem}. Correct it there.`,
  );
}
