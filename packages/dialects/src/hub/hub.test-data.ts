import type { Usage } from "@tuloy/contract";

import { isObject, parseJson, text, type JsonObject } from "../json/value.ts";
import type { StreamWatch } from "../stream-watch.ts";
import type { HubFinish, HubSink } from "./answer.ts";
import type { WriteContext, WriteTarget } from "./codec.ts";
import type { HubRequest, Opaque } from "./request.ts";
import { openaiCompatible } from "../providers/openai-compatible.ts";

/** One thing that was told to a sink. */
export type Telling = readonly [what: keyof HubSink, ...rest: readonly unknown[]];

/** Keeps what it is told; pieces of one part that follow each other are one. */
export class Listener implements HubSink {
  readonly tellings: Telling[] = [];

  begin(id: string | null, model: string | null): void {
    this.tellings.push(["begin", id, model]);
  }
  text(text: string): void {
    this.#piece("text", text);
  }
  thought(text: string): void {
    this.#piece("thought", text);
  }
  thoughtOpaque(opaque: Opaque, redacted: boolean, id: string | null): void {
    this.tellings.push(["thoughtOpaque", opaque, redacted, id]);
  }
  refusal(text: string): void {
    this.#piece("refusal", text);
  }
  toolCall(call: number, id: string, name: string, opaque: Opaque | null): void {
    this.tellings.push(["toolCall", call, id, name, opaque]);
  }
  toolArguments(call: number, json: string): void {
    const last = this.tellings.at(-1);
    if (last?.[0] === "toolArguments" && last[1] === call) {
      this.tellings[this.tellings.length - 1] = ["toolArguments", call, String(last[2]) + json];
    } else this.tellings.push(["toolArguments", call, json]);
  }
  usage(usage: Usage): void {
    this.tellings.push(["usage", usage]);
  }
  finish(reason: HubFinish, stopSequence: string | null): void {
    this.tellings.push(["finish", reason, stopSequence]);
  }
  fail(failure: unknown): void {
    this.tellings.push(["fail", failure]);
  }
  left(what: string): void {
    this.tellings.push(["left", what]);
  }

  #piece(what: "text" | "thought" | "refusal", text: string): void {
    const last = this.tellings.at(-1);
    if (last?.[0] === what) this.tellings[this.tellings.length - 1] = [what, String(last[1]) + text];
    else this.tellings.push([what, text]);
  }
}

export function writeContext(fields: Partial<WriteContext> = {}): WriteContext {
  let made = 0;
  return {
    wantsUsage: true,
    makeId: () => `made-${++made}`,
    created: 1_700_000_000,
    reportModel: null,
    model: "upstream-model",
    request: Buffer.from("{}"),
    ...fields,
  };
}

/** A request that says and asks nothing. */
export function hubRequest(fields: Partial<HubRequest> = {}): HubRequest {
  return {
    system: [],
    messages: [],
    tools: [],
    toolChoice: null,
    parallelToolCalls: null,
    maxTokens: null,
    temperature: null,
    topP: null,
    topK: null,
    stop: [],
    seed: null,
    presencePenalty: null,
    frequencyPenalty: null,
    format: null,
    reasoning: null,
    user: null,
    stream: false,
    left: [],
    ...fields,
  };
}

export function writeTarget(fields: Partial<WriteTarget> = {}): WriteTarget {
  return {
    model: "upstream-model",
    canonicalModel: "model-x",
    preset: openaiCompatible,
    outputTokens: null,
    parameters: null,
    ...fields,
  };
}

/** Feeds a stream, cut into chunks of the given sizes, over and over. @returns what the client gets of it */
export function feed(watch: StreamWatch, bytes: Buffer, sizes: readonly number[] = [bytes.length]): string {
  const out: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = Math.max(1, sizes[turn % sizes.length] ?? bytes.length);
    watch.push(bytes.subarray(at, at + size));
    out.push(...watch.forward);
    at += size;
  }
  return Buffer.concat(out).toString();
}

/** What a client makes of a stream of chat chunks. */
export interface Heard {
  readonly roles: number;
  readonly text: string;
  readonly thought: string;
  readonly refusal: string;
  readonly calls: readonly { readonly id: string; readonly name: string; readonly arguments: string }[];
  readonly finishes: readonly string[];
  readonly usages: readonly unknown[];
  readonly ids: readonly string[];
  readonly done: boolean;
}

export function hear(wire: string): Heard {
  const calls: { id: string; name: string; arguments: string }[] = [];
  const heard = { roles: 0, text: "", thought: "", refusal: "", finishes: [] as string[], usages: [] as unknown[] };
  const ids = new Set<string>();
  let ended = false;
  for (const block of wire.split("\n\n")) {
    if (!block.startsWith("data: ")) continue;
    if (block === "data: [DONE]") {
      ended = true;
      continue;
    }
    const chunk = objectOf(parseJson(block.slice(6)));
    ids.add(`${String(chunk.id)} ${String(chunk.model)}`);
    if (isObject(chunk.usage)) heard.usages.push([chunk.usage.prompt_tokens, chunk.usage.completion_tokens]);
    for (const choice of listOf(chunk.choices)) {
      const said = objectOf(choice.delta);
      if (said.role !== undefined) heard.roles++;
      heard.text += text(said.content) ?? "";
      heard.thought += text(said.reasoning_content) ?? "";
      heard.refusal += text(said.refusal) ?? "";
      for (const piece of listOf(said.tool_calls)) {
        const call = (calls[Number(piece.index)] ??= { id: "", name: "", arguments: "" });
        const made = objectOf(piece.function);
        call.id += text(piece.id) ?? "";
        call.name += text(made.name) ?? "";
        call.arguments += text(made.arguments) ?? "";
      }
      const finish = text(choice.finish_reason);
      if (finish !== null) heard.finishes.push(finish);
    }
  }
  return { ...heard, calls, ids: [...ids], done: ended };
}

function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

function listOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.map(objectOf) : [];
}
