import { relabelObject } from "../relabel/answer.ts";
import { splice } from "../json/splice.ts";
import { scanTopLevel } from "../json/top-level.ts";

/** An event with the model of its response named otherwise. Most have no response: they stay as they are. */
export function relabelEvent(event: Buffer, model: string): Buffer {
  const scanned = scanTopLevel(event, Infinity);
  if (scanned.kind !== "object") return event;
  const edits = scanned.members
    .filter(({ key }) => key === "response")
    .map(({ start, end }) => ({
      start,
      end,
      text: relabelObject(event.subarray(start, end), model).toString("utf8"),
    }));
  return splice(event, edits);
}
