import type { HubFinish } from "../hub/answer.ts";

/** https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons */
const finishes: ReadonlyMap<string, HubFinish> = new Map([
  ["end_turn", "stop"],
  ["stop_sequence", "stop"],
  ["max_tokens", "length"],
  // The answer filled what was left of the window: to a client, it was cut as by a limit of its own.
  ["model_context_window_exceeded", "length"],
  ["tool_use", "tool_calls"],
  ["pause_turn", "pause"],
  ["refusal", "refusal"],
]);

/** @returns null for a reason that is not known yet: the answer has ended all the same */
export function readFinish(stopReason: string): HubFinish | null {
  return finishes.get(stopReason) ?? null;
}

const stopReasons: Readonly<Record<HubFinish, string>> = {
  stop: "end_turn",
  length: "max_tokens",
  tool_calls: "tool_use",
  // Anthropic's own filters end an answer so, and its clients know no other reason that means it.
  content_filter: "refusal",
  refusal: "refusal",
  pause: "pause_turn",
};

export function writeFinish(finish: HubFinish, stopSequence: string | null): string {
  return finish === "stop" && stopSequence !== null ? "stop_sequence" : stopReasons[finish];
}

/** What a writer was told, from where it was noted. */
export function hubFinish(noted: string): HubFinish {
  return isHubFinish(noted) ? noted : "stop";
}

function isHubFinish(noted: string): noted is HubFinish {
  return Object.hasOwn(stopReasons, noted);
}
