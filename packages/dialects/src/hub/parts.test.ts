import { expect, it } from "vitest";

import { findInParts } from "./parts.ts";
import type { HubMessage, HubPart } from "./request.ts";

const text = (said: string): HubPart => ({ kind: "text", text: said, cache: null });
const result = (...parts: readonly HubPart[]): HubPart => ({
  kind: "tool_result",
  callId: "c",
  name: null,
  isError: false,
  parts,
  cache: null,
});
const user = (...parts: readonly HubPart[]): HubMessage => ({ role: "user", parts });

it("a conversation is looked through in order, tools' results and what they hold included", () => {
  const messages = [user(text("a"), result(text("b"), result(text("c")))), user(text("d"))];
  const seen: string[] = [];
  const look = (until: string): string | null =>
    findInParts(messages, (part) => {
      const said = part.kind === "text" ? part.text : part.kind;
      seen.push(said);
      return said === until ? `found ${said}` : null;
    });
  expect(look("nothing")).toBeNull();
  expect(seen).toEqual(["a", "tool_result", "b", "tool_result", "c", "d"]);
  expect(look("c")).toBe("found c");
  expect(look("tool_result")).toBe("found tool_result");
  expect(seen.slice(6)).toEqual(["a", "tool_result", "b", "tool_result", "c", "a", "tool_result"]);
});
