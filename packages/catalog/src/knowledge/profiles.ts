/** Ids that name a model and are refused: their kind serves it under ids for parts of the world only. */
interface Refused {
  readonly kind: string;
  readonly id: RegExp;
  readonly because: string;
  readonly source: string;
}

const inferenceProfiles = "https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html";
const because =
  "400, on-demand throughput isn't supported: AWS serves it through inference profiles only (us.…, eu.…, global.…)";

export const refusedIds: readonly Refused[] = [
  // From 3.7 on: ListFoundationModels has INFERENCE_PROFILE as their only type of inference.
  {
    kind: "bedrock",
    id: /^anthropic\.claude-(?:3-7-|(?:fable|haiku|opus|sonnet)-)/,
    because,
    source: inferenceProfiles,
  },
  { kind: "bedrock", id: /^deepseek\.r1-/, because, source: inferenceProfiles },
  { kind: "bedrock", id: /^meta\.llama4-/, because, source: inferenceProfiles },
];

/** Whether requests under an id are answered, and not sent to another id of the same model. */
export function isAnswered(kind: string, id: string): boolean {
  return !refusedIds.some((refused) => refused.kind === kind && refused.id.test(id));
}

/**
 * AWS's regions in parts of the world whose names are not the beginning of theirs (the destination regions at
 * https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html).
 */
const regionsOf: Readonly<Record<string, readonly string[]>> = {
  au: ["ap-southeast-2", "ap-southeast-4"],
  jp: ["ap-northeast-1", "ap-northeast-3"],
};

/** GovCloud is a partition of its own: no profile of the other regions is known there, the global one included. */
const govCloud = "us-gov";

/** Whether a kind's ids for a part of the world serve a provider in a region; null where their names alone tell. */
export function servesRegion(kind: string, place: string, region: string): boolean | null {
  if (kind !== "bedrock") return null;
  if (region.startsWith(govCloud)) return place === govCloud;
  return regionsOf[place]?.includes(region) === true ? true : null;
}
