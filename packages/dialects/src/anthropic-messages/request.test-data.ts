import type { WriteTarget } from "../hub/codec.ts";
import type { HubRequest } from "../hub/request.ts";
import { openaiCompatible } from "../providers/openai-compatible.ts";
import { messagesToHub } from "./hub-request.ts";
import { writeMessagesRequest } from "./write-request.ts";

/** A request of Anthropic's, read. */
export function hub(fields: object): HubRequest {
  const read = messagesToHub(Buffer.from(JSON.stringify({ model: "m", max_tokens: 100, messages: [], ...fields })));
  if ("code" in read) throw new Error(read.message);
  return read;
}

/** A request that asks for nothing in particular. */
export const plain: HubRequest = hub({ messages: [{ role: "user", content: "Hi" }] });

/** What is written of it for Anthropic. */
export function written(
  request: Partial<HubRequest>,
  model = "claude-sonnet-4-5",
  target: Partial<WriteTarget> = {},
): { readonly body: Record<string, unknown>; readonly notes: readonly string[] } {
  const { body, notes } = writeMessagesRequest(
    { ...plain, ...request },
    {
      model: `id-of-${model}`,
      canonicalModel: model,
      preset: openaiCompatible,
      outputTokens: null,
      parameters: null,
      ...target,
    },
  );
  return { body: JSON.parse(body.toString()) as Record<string, unknown>, notes };
}
