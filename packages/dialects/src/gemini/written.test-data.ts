import type { HubRequest } from "../hub/request.ts";
import { chatClient } from "../openai-chat/codec.ts";
import { gemini as preset } from "../providers/gemini.ts";
import { gemini } from "./codec.ts";

/** A chat request as the hub has it. */
export function hubOf(request: object): HubRequest {
  const hub = chatClient.toHub(
    Buffer.from(JSON.stringify({ model: "", messages: [{ role: "user", content: "Hi" }], ...request })),
  );
  if ("code" in hub) throw new Error(hub.message);
  return hub;
}

export interface Written {
  readonly body: {
    readonly contents: readonly { readonly role: string; readonly parts: readonly unknown[] }[];
    readonly [member: string]: unknown;
  };
  readonly notes: readonly string[];
}

export function written(request: HubRequest, model = "gemini-3-flash", more: object = {}): Written {
  const { body, notes } = gemini.write(request, {
    model,
    canonicalModel: model,
    preset,
    outputTokens: null,
    parameters: null,
    ...more,
  });
  return { body: JSON.parse(body.toString("utf8")), notes };
}

/** What a chat request becomes. */
export function asked(request: object, model?: string, more?: object): Written {
  return written(hubOf(request), model, more);
}
