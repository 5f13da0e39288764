import type { Capability } from "@tuloy/contract";

import type { WriteTarget, WrittenRequest } from "../hub/codec.ts";
import { effortFor } from "../hub/efforts.ts";
import { longestAnswer, shortUser } from "../hub/limits.ts";
import { spelling } from "../hub/parameters.ts";
import {
  effortOf,
  type HubFormat,
  type HubReasoning,
  type HubRequest,
  type HubTool,
  type HubToolChoice,
} from "../hub/request.ts";
import { writeMessages, type WantedBack } from "./write-messages.ts";

/**
 * What the hub can carry into this dialect. Several choices and log probabilities have no place in the hub; audio is taken in, and
 * a spoken answer is refused before.
 */
export const chatExpresses: ReadonlySet<Capability> = new Set(["tools", "images", "files", "json_schema", "audio"]);

/** OpenAI refuses a longer one with 400 `string_above_max_length`. */
const longestUser = 64;

/** Writes a request as a body of `POST /chat/completions`. */
export function writeChatRequest(request: HubRequest, target: WriteTarget): WrittenRequest {
  const notes: string[] = [];
  const body: Record<string, unknown> = { model: target.model };
  /** Sets a parameter under the name that it is taken by. */
  const set = (name: string, value: unknown): void => {
    if (value === null || value === undefined) return;
    const as = spelling(target, name);
    if (as === null) notes.push(`${name} was left out: it is not taken there`);
    // OpenRouter's name for it is an object's.
    else body[as] = as === "reasoning" ? { effort: value } : value;
  };
  const note = (text: string): void => void notes.push(text);
  body.messages = writeMessages(request, wantedBack(target), notes);
  if (request.tools.length > 0) set("tools", request.tools.map(writeTool));
  if (request.tools.length > 0)
    set("tool_choice", request.toolChoice === null ? null : writeToolChoice(request.toolChoice));
  if (request.tools.length > 0) set("parallel_tool_calls", request.parallelToolCalls);
  // The name that every server knows; OpenAI's reasoning models take only the other one, which their facts say.
  set("max_tokens", longestAnswer(request, target, note));
  set("temperature", request.temperature);
  set("top_p", request.topP);
  set("top_k", request.topK);
  if (request.stop.length > 0) set("stop", request.stop);
  set("seed", request.seed);
  set("presence_penalty", request.presencePenalty);
  set("frequency_penalty", request.frequencyPenalty);
  if (request.format !== null) set("response_format", writeFormat(request.format));
  const wanted = request.reasoning === null ? null : effort(request.reasoning, notes);
  set("reasoning_effort", wanted === null ? null : effortFor(target.canonicalModel, wanted, note));
  set("user", shortUser(request.user, longestUser, note));
  if (request.stream) {
    body.stream = true;
    // Without usage in the stream, what it cost could only be estimated.
    if (target.preset.streamUsage) body.stream_options = { include_usage: true };
  }
  // Only where the last message begins the answer: elsewhere it is a finished turn.
  return { body: Buffer.from(JSON.stringify({ ...body, ...target.continuation?.body })), notes };
}

/**
 * Most servers refuse, or ignore, reasoning of earlier turns; some demand it. A call's signature is Google's: its models demand it
 * wherever they are served, and to others it is a member that they do not know, which the stricter of them answer with 400.
 */
function wantedBack({ preset, canonicalModel, model }: WriteTarget): WantedBack {
  const chat = preset.endpoints.chat?.find(({ dialect }) => dialect === "openai-chat");
  return {
    reasoning: chat?.messages?.reasoningWithCalls === true,
    details: chat?.reasoningDetails === true,
    proofs: /gemini/i.test(canonicalModel) || /gemini/i.test(model),
  };
}

function writeTool({ name, description, parameters, strict }: HubTool): Record<string, unknown> {
  return {
    type: "function",
    function: {
      name,
      ...(description === null ? {} : { description }),
      ...(parameters === null ? {} : { parameters }),
      ...(strict === null ? {} : { strict }),
    },
  };
}

function writeToolChoice(choice: HubToolChoice): unknown {
  return choice.kind === "tool" ? { type: "function", function: { name: choice.name } } : choice.kind;
}

function writeFormat(format: HubFormat): Record<string, unknown> {
  if (format.kind === "json") return { type: "json_object" };
  const { name, description, schema, strict } = format;
  return {
    type: "json_schema",
    json_schema: {
      name,
      ...(description === null ? {} : { description }),
      schema,
      ...(strict === null ? {} : { strict }),
    },
  };
}

/** Null: nothing is said, and the model does as it usually does. */
function effort({ enabled, effort: stated, budget }: HubReasoning, notes: string[]): string | null {
  if (stated !== null) return stated;
  if (!enabled) {
    // `none` is known to the newest models only, and an error to all others: not to ask for reasoning is as near as it gets.
    notes.push("that reasoning is unwanted was left out: this dialect has no word for it that every model knows");
    return null;
  }
  if (budget === null) return null;
  notes.push(`a reasoning budget of ${budget} tokens was sent as effort ${effortOf(budget)}`);
  return effortOf(budget);
}
