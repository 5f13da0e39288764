import type { UpstreamCodec } from "../hub/codec.ts";
import { findInParts } from "../hub/parts.ts";
import type { HubRequest } from "../hub/request.ts";
import { continuationWayOf } from "../anthropic-messages/claude.ts";
import { continueRequest } from "./continue.ts";
import { EventStreamDecoder } from "./event-stream.ts";
import { mediaObstacle } from "./media.ts";
import { readAnswer } from "./read-answer.ts";
import { ConverseReader } from "./read-events.ts";
import { writeRequest } from "./write-request.ts";

/** Amazon Bedrock's Converse and ConverseStream. */
export const bedrockConverse: UpstreamCodec = {
  dialect: "bedrock-converse",
  expresses: new Set(["tools", "images", "files", "json_schema"]),
  obstacle,
  // Others take a last assistant message for a finished turn.
  continues: (model) => continuationWayOf(model) ?? "none",
  write: writeRequest,
  readAnswer,
  decoder: (sink) => new EventStreamDecoder(sink),
  reader: (sink, preset) => new ConverseReader(sink, preset),
  continueRequest,
};

function obstacle({ messages }: HubRequest): string | null {
  const users = messages.filter(({ role }) => role === "user");
  return findInParts(users, (part) => (part.kind === "image" || part.kind === "file" ? mediaObstacle(part) : null));
}
