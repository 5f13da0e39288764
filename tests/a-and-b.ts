import { answersChat, chatChunk, sse } from "@tuloy/testkit";
import type { Reply, Script } from "@tuloy/testkit";

/** What B says in A's place, and A never. */
export const words = "It is B that says all of this – ñandú, 日本.";
export const answersFromB = answersChat(words, { id: "chatcmpl-b" });
export const wordsOfA = "And this is A.";
export const shapeOfA = { id: "chatcmpl-a" };
export const roleOfA = sse(chatChunk({ delta: { role: "assistant", content: "" } }, shapeOfA));

export const silent: Script = (reply) => reply.silence();

/** A way in which A's answer goes wrong, and what that is called. */
export interface BrokenAnswer {
  readonly a: Script;
  readonly failure: string;
  readonly status: number | null;
}

/** An overloaded server, as some report it under status 200. */
export const overloadedError = { error: { message: "A is overloaded", type: "overloaded_error", code: "overloaded" } };

export const page = "<!doctype html><html><body>Bad gateway</body></html>";

export const inText = (reply: Reply, type: string, body: string): Reply =>
  reply.status(200).headers({ "content-type": type }, Buffer.byteLength(body)).chunk(body);

/** One gateway for a whole table of faults: its breakers stay closed whatever happens. */
export const neverOpen = "breaker: { failures: 1000, of: 1000 }";
