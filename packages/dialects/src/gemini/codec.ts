import type { Capability } from "@tuloy/contract";

import type { UpstreamCodec } from "../hub/codec.ts";
import type { HubRequest } from "../hub/request.ts";
import { continueGemini } from "./continue.ts";
import { GeminiReader, readGeminiAnswer } from "./read.ts";
import { writeGemini } from "./write.ts";

/** Several answers and log probabilities exist in the dialect, but have no place in the hub. */
const expresses: ReadonlySet<Capability> = new Set<Capability>(["tools", "images", "files", "json_schema", "audio"]);

/** https://ai.google.dev/api/caching#FunctionDeclaration */
const functionName = /^[A-Za-z_][A-Za-z0-9_.:-]{0,127}$/;

/** `generateContent` and `streamGenerateContent`, at AI Studio and on Vertex AI. */
export const gemini: UpstreamCodec = {
  dialect: "gemini",
  expresses,
  obstacle,
  // A last content of the model's is not gone on from.
  continues: () => "none",
  write: writeGemini,
  readAnswer: (body, preset, sink) => readGeminiAnswer(body, preset, sink),
  reader: (sink, preset) => new GeminiReader(sink, preset),
  continueRequest: continueGemini,
};

/** https://ai.google.dev/api/generate-content#GenerationConfig */
const mostStops = 5;

/** A tool's name can't be changed: the answer is read without a look at the request, and would bring back the changed one. */
function obstacle({ tools, stop }: HubRequest): string | null {
  if (stop.length > mostStops) return `takes at most ${mostStops} stop sequences`;
  const strange = tools.find(({ name }) => !functionName.test(name));
  return strange === undefined ? null : "takes no tool whose name does not begin with a letter or an underscore";
}
