import { closedSchema } from "../anthropic-messages/schema.ts";
import type { WriteTarget, WrittenRequest } from "../hub/codec.ts";
import { longestAnswer } from "../hub/limits.ts";
import { spelling } from "../hub/parameters.ts";
import type { HubRequest } from "../hub/request.ts";
import type { JsonObject } from "../json/value.ts";
import { waysOf, type ModelWays } from "./models.ts";
import { planReasoning, type ReasoningPlan } from "./reasoning.ts";
import { MessageWriter } from "./write-messages.ts";
import { writeTools } from "./write-tools.ts";

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html. The model stands in the path. */
export function writeRequest(asked: HubRequest, target: WriteTarget): WrittenRequest {
  const ways = waysOf(target.model, target.canonicalModel);
  const notes = new Set<string>();
  const maxTokens = longestAnswer(asked, target, (text) => notes.add(text));
  const request = withoutRefused({ ...asked, maxTokens }, target, notes);
  const writer = new MessageWriter(ways, notes);
  const system = writer.system(request.system);
  const messages = writer.messages(request.messages);
  const { config, forced } = writeTools(request, writer.calledTools, ways, notes);
  const reasoning = planReasoning(request, target, ways, { forced, bare: writer.callsWithoutThought }, notes);
  const output = outputConfig(request, ways, reasoning, notes);
  if (request.format?.kind === "json") {
    system.push({ text: "Answer with one JSON object and nothing else: no introduction, no code fence." });
    notes.add("response_format json_object was asked for in words");
  }
  noteUnsaid(request, notes);

  const inference = inferenceConfig(request, ways, reasoning, notes);
  const fields = additionalFields(request, ways, reasoning, notes);
  const body: JsonObject = {
    messages,
    ...(system.length === 0 ? {} : { system }),
    ...(Object.keys(inference).length === 0 ? {} : { inferenceConfig: inference }),
    ...(config === null ? {} : { toolConfig: config }),
    ...(output === null ? {} : { outputConfig: output }),
    ...(Object.keys(fields).length === 0 ? {} : { additionalModelRequestFields: fields }),
    // Converse itself does not say which stop sequence it was.
    ...(ways.claude !== null && request.stop.length > 0
      ? { additionalModelResponseFieldPaths: ["/stop_sequence"] }
      : {}),
  };
  return { body: Buffer.from(JSON.stringify(body)), notes: [...notes] };
}

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InferenceConfiguration.html: temperature is 0 to 1. */
function inferenceConfig(
  { maxTokens, temperature, topP, stop }: HubRequest,
  { claude }: ModelWays,
  { samplingOff }: ReasoningPlan,
  notes: Set<string>,
): JsonObject {
  const noSampling = samplingOff || claude?.sampling === false;
  if (noSampling && temperature !== null && temperature !== 1) notes.add("temperature was left out");
  if (noSampling && topP !== null && topP !== 1) notes.add("top_p was left out");
  const kept = noSampling ? null : temperature;
  // Claude since 4.1 takes only one of the two.
  const both = kept !== null && topP !== null && claude?.bothSampling === false;
  if (both) notes.add("top_p was left out");
  if (kept !== null && kept > 1) notes.add("temperature was lowered to 1");
  return {
    ...(maxTokens === null ? {} : { maxTokens }),
    ...(kept === null ? {} : { temperature: Math.min(kept, 1) }),
    ...(topP === null || noSampling || both ? {} : { topP }),
    ...(stop.length === 0 ? {} : { stopSequences: stop }),
  };
}

function outputConfig(
  { format }: HubRequest,
  ways: ModelWays,
  { effort }: ReasoningPlan,
  notes: Set<string>,
): JsonObject | null {
  const native = format?.kind === "json_schema" && ways.schemas === "native" ? format : null;
  if (native === null) return effort === null ? null : { effort };
  const left = new Set<string>();
  const schema = closedSchema(native.schema, left);
  if (left.size > 0) notes.add(`${[...left].join(", ")} was left out of the schema of the answer`);
  const jsonSchema = {
    schema: JSON.stringify(schema),
    name: native.name,
    ...(native.description === null ? {} : { description: native.description }),
  };
  return {
    textFormat: { type: "json_schema", structure: { jsonSchema } },
    ...(effort === null ? {} : { effort }),
  };
}

/** What a model takes beyond what Converse has words for, in its own. */
function additionalFields(
  { topK }: HubRequest,
  ways: ModelWays,
  { fields, samplingOff }: ReasoningPlan,
  notes: Set<string>,
): JsonObject {
  if (topK === null) return fields;
  if (ways.topK === null || samplingOff || ways.claude?.sampling === false) {
    notes.add("top_k was left out");
    return fields;
  }
  const [outer = "", inner] = ways.topK;
  return { ...fields, [outer]: inner === undefined ? topK : { [inner]: topK } };
}

/** What the deployment is known not to take, by OpenAI's names for it, as if it had not been said. */
function withoutRefused(request: HubRequest, target: WriteTarget, notes: Set<string>): HubRequest {
  if (target.parameters === null) return request;
  const kept = (name: string, value: unknown): boolean => {
    if (value === null || (Array.isArray(value) && value.length === 0) || spelling(target, name) !== null) return true;
    notes.add(`${name} was left out: it is not taken there`);
    return false;
  };
  const { maxTokens, temperature, topP, topK, stop, reasoning } = request;
  return {
    ...request,
    maxTokens: kept("max_tokens", maxTokens) ? maxTokens : null,
    temperature: kept("temperature", temperature) ? temperature : null,
    topP: kept("top_p", topP) ? topP : null,
    topK: kept("top_k", topK) ? topK : null,
    stop: kept("stop", stop) ? stop : [],
    reasoning: kept("reasoning_effort", reasoning) ? reasoning : null,
  };
}

function noteUnsaid(request: HubRequest, notes: Set<string>): void {
  const unsaid: readonly (readonly [name: string, value: unknown])[] = [
    ["seed", request.seed],
    ["presence_penalty", request.presencePenalty],
    ["frequency_penalty", request.frequencyPenalty],
    ["user", request.user],
  ];
  for (const [name, value] of unsaid) if (value !== null && value !== 0) notes.add(`${name} was left out`);
}
