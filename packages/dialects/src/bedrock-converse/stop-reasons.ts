import type { HubFinish } from "../hub/answer.ts";

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html, `stopReason`; null: the model failed. */
const finishes: ReadonlyMap<string, HubFinish | null> = new Map([
  ["end_turn", "stop"],
  ["stop_sequence", "stop"],
  ["tool_use", "tool_calls"],
  ["max_tokens", "length"],
  // The answer filled what was left of the window: to a client, it was cut as by a limit of its own.
  ["model_context_window_exceeded", "length"],
  // A guardrail of the account put its own words in the answer's place.
  ["guardrail_intervened", "content_filter"],
  ["content_filtered", "content_filter"],
  // Claude's own, where it is passed on under its own name.
  ["refusal", "refusal"],
  ["pause_turn", "pause"],
  // What the model wrote can't be read, which another attempt may mend: never an answer.
  ["malformed_model_output", null],
  ["malformed_tool_use", null],
]);

/** @returns null: no answer; undefined: a reason that is not known yet, and the answer has ended all the same */
export function finishOf(stopReason: string): HubFinish | null | undefined {
  return finishes.get(stopReason);
}
