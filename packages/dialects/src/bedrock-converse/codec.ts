import type { HubMessage, HubRequest } from "../hub/request.ts";
import type { UpstreamCodec } from "../hub/codec.ts";
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
  for (const { role, parts } of messages) {
    if (role === "user") {
      const found = partObstacle(parts);
      if (found !== null) return found;
    }
  }
  return null;
}

function partObstacle(parts: HubMessage["parts"]): string | null {
  for (const part of parts) {
    const found =
      part.kind === "image" || part.kind === "file"
        ? mediaObstacle(part)
        : part.kind === "tool_result"
          ? partObstacle(part.parts)
          : null;
    if (found !== null) return found;
  }
  return null;
}
