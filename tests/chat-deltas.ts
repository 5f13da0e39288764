import { chatChunk, sse } from "@tuloy/testkit";
import type { Script } from "@tuloy/testkit";

/** Answers a chat request with whole messages or with deltas, as OpenAI does. */
export function answersDeltas(deltas: readonly object[], finishReason: string, usage: object): Script {
  return (reply, request) => {
    const { stream } = request.json() as { stream?: boolean };
    if (stream !== true) {
      const message: Record<string, unknown> = { role: "assistant", content: null };
      for (const delta of deltas) {
        for (const [key, value] of Object.entries(delta)) {
          message[key] = typeof value === "string" && typeof message[key] === "string" ? message[key] + value : value;
        }
      }
      const { choices: _choices, object: _object, ...head } = chatChunk({ delta: {} });
      return reply.json(200, {
        ...head,
        object: "chat.completion",
        choices: [{ index: 0, message, finish_reason: finishReason }],
        usage,
      });
    }
    reply.eventStream().chunk(sse(chatChunk({ delta: { role: "assistant", content: "" } })));
    for (const delta of deltas) reply.chunk(sse(chatChunk({ delta })));
    reply.chunk(sse(chatChunk({ delta: {}, finish_reason: finishReason })));
    return reply
      .chunk(sse({ ...chatChunk({ delta: {} }), choices: [], usage }))
      .chunk(sse("[DONE]"))
      .end();
  };
}

export const usage = { prompt_tokens: 12, completion_tokens: 7, total_tokens: 19 };

/** A call as OpenAI writes it, whole in one delta. */
export const called = (index: number, id: string, name: string, json: string): object => ({
  index,
  id,
  type: "function",
  function: { name, arguments: json },
});
