import { isUtf8 } from "node:buffer";

import { clientError, type ClientError, type RoutingOverrides } from "@tuloy/contract";

import { isForTheGateway, readOverrides } from "../overrides/read.ts";
import { invalidField, kindOf } from "./invalid-field.ts";
import { readLargeBody, type TextList } from "./large-body.ts";
import { locateJsonError } from "./locate-error.ts";
import { stripMembers, type ScannedObject } from "./strip.ts";
import { scanTopLevel } from "./top-level.ts";
import { isObject, parseJson, type JsonObject } from "./value.ts";

/** A request's nesting, the outermost object included. Real requests have some ten levels, schemas in tools some thirty. */
const maxDepth = 128;

/** Smaller bodies are as quickly parsed. */
const largeBytes = 16 * 1024;

/** A request's body, parsed and with the places of its top-level members. */
export interface RequestBody {
  readonly fields: JsonObject;
  /** What may go to a provider: the body without the members that are for the gateway. The client's own Buffer when it has none. */
  readonly sendable: ScannedObject;
  readonly model: string;
  /** Null: none. */
  readonly overrides: RoutingOverrides | null;
  /** Of a list of texts that was read as `[]`: see `LargeBody`. Null: nothing was left out of `fields`. */
  readonly unusual: ReadonlySet<string> | null;
}

function lineAndColumn(body: Buffer, offset: number): string {
  const lines = body.toString("utf8", 0, offset).split("\n");
  return `line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}`;
}

/**
 * Reads what all requests have in common: a JSON object with a model.
 * @param list of a large body it may be read as `[]`
 */
export function readRequestBody(body: Buffer, list: TextList | null = null): RequestBody | ClientError {
  const large = list !== null && body.length >= largeBytes ? readLargeBody(body, list, maxDepth) : null;
  return large === null ? parseRequestBody(body) : readFields(large.fields, large.object, large.unusual);
}

function parseRequestBody(body: Buffer): RequestBody | ClientError {
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
  const { members, bodyStart } = scanned;
  return readFields(fields, { body, members, bodyStart }, null);
}

function readFields(
  fields: JsonObject,
  object: ScannedObject,
  unusual: ReadonlySet<string> | null,
): RequestBody | ClientError {
  if (!isUtf8(object.body)) return clientError("invalid_json", "The request body is not UTF-8. Encode it as UTF-8.");
  const read = readOverrides(fields);
  if ("code" in read) return read;
  const model = read.model ?? fields.model;
  if (model === undefined) return invalidField("model", 'The field "model" is missing. Name the model to use.');
  if (typeof model !== "string") {
    return invalidField("model", `The field "model" must be a string, but it is ${kindOf(model)}.`);
  }
  if (model.trim() === "") return invalidField("model", 'The field "model" is empty. Name the model to use.');
  return {
    fields,
    sendable: stripMembers(object, isForTheGateway),
    model,
    overrides: read.overrides,
    unusual,
  };
}

function notJson(source: string): ClientError {
  if (source.trim() === "") return clientError("invalid_json", "The request body is empty. Send a JSON object.");
  const { line, column, problem } = locateJsonError(source);
  return clientError(
    "invalid_json",
    `The request body is not valid JSON: at line ${line}, column ${column}, ${problem}. Correct it there.`,
  );
}
