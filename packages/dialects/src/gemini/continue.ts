import { sentText, softInstruction } from "../completion/continuable.ts";
import type { SentAnswer } from "../completion/sent.ts";
import { count, isObject, parseJson } from "../json/value.ts";

/**
 * The body that asks for the rest of an answer, from the one that asks for the answer: softly, as a user would, since a last
 * content of the model's is not gone on from. What was sent counts against the limit.
 */
export function continueGemini(body: Buffer, sent: SentAnswer): Buffer {
  const request = parseJson(body.toString("utf8"));
  if (!isObject(request) || !Array.isArray(request.contents))
    throw new Error("a request that was sent has no contents");
  const text = sentText(sent);
  const contents: unknown[] = [
    ...request.contents,
    { role: "model", parts: [{ text }] },
    { role: "user", parts: [{ text: softInstruction(text) }] },
  ];
  const config = isObject(request.generationConfig) ? request.generationConfig : null;
  const limit = count(config?.maxOutputTokens);
  const reduced =
    limit === null ? {} : { generationConfig: { ...config, maxOutputTokens: Math.max(1, limit - sent.tokens) } };
  return Buffer.from(JSON.stringify({ ...request, contents, ...reduced }));
}
