import type { HubMessage, HubPart } from "./request.ts";

/** What is first found in a part of a conversation, tools' results and what they hold included; null: nothing anywhere. */
export function findInParts<Found>(
  messages: readonly Pick<HubMessage, "parts">[],
  find: (part: HubPart) => Found | null,
): Found | null {
  for (const { parts } of messages) {
    for (const part of parts) {
      const found = find(part) ?? (part.kind === "tool_result" ? findInParts([part], find) : null);
      if (found !== null) return found;
    }
  }
  return null;
}
