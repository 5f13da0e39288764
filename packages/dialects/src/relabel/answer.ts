import { splice } from "../json/splice.ts";
import { scanTopLevel } from "../json/top-level.ts";

/** A JSON object with its `model` named otherwise; itself when it names none. No other byte changes. */
export function relabelObject(body: Buffer, model: string): Buffer {
  const scanned = scanTopLevel(body, Infinity);
  if (scanned.kind !== "object") return body;
  const text = JSON.stringify(model);
  return splice(
    body,
    scanned.members.filter(({ key }) => key === "model").map(({ start, end }) => ({ start, end, text })),
  );
}
