import type { Dialect } from "@tuloy/contract";

import { anthropicClient, anthropicUpstream } from "../anthropic-messages/codec.ts";
import { bedrockConverse } from "../bedrock-converse/codec.ts";
import { gemini } from "../gemini/codec.ts";
import { chatClient, chatUpstream } from "../openai-chat/codec.ts";
import { responsesClient, responsesUpstream } from "../openai-responses/codec.ts";
import type { ClientCodec, UpstreamCodec } from "./codec.ts";

const upstreamCodecs: ReadonlyMap<Dialect, UpstreamCodec> = new Map(
  [chatUpstream, gemini, bedrockConverse, anthropicUpstream, responsesUpstream].map((codec) => [codec.dialect, codec]),
);

const clientCodecs: ReadonlyMap<Dialect, ClientCodec> = new Map(
  [chatClient, responsesClient, anthropicClient].map((codec) => [codec.dialect, codec]),
);

/** How a provider is spoken to in a dialect; null for one that is forwarded only, never translated into. */
export function upstreamCodec(dialect: Dialect): UpstreamCodec | null {
  return upstreamCodecs.get(dialect) ?? null;
}

/** How a client is spoken to; null for a dialect that is never translated. */
export function clientCodec(dialect: Dialect): ClientCodec | null {
  return clientCodecs.get(dialect) ?? null;
}
