import { describe, expect, it } from "vitest";

import type { CompletionMode } from "../completion/completion.ts";
import { SentAnswer } from "../completion/sent.ts";
import type { HubSink } from "../hub/answer.ts";
import { writeContext } from "../hub/hub.test-data.ts";
import { Outgoing } from "../hub/outgoing.ts";
import type { Opaque } from "../hub/request.ts";
import { noteChunk } from "./deltas.ts";
import { ChatEventWriter } from "./write-events.ts";

const signed = (data: string): Opaque => ({ dialect: "anthropic-messages", data });
const entry = (text: string, signature: string, index: number): object => ({
  type: "reasoning.text",
  text,
  signature,
  format: "anthropic-claude-v1",
  index,
});

/** The entries of `reasoning_details` that a writer writes. */
function detailsOf(mode: CompletionMode, sent: SentAnswer, tell: (sink: HubSink) => void): unknown[] {
  const writer = new ChatEventWriter(writeContext(), { sent, mode });
  tell(writer);
  const events = Buffer.concat([...writer.take()])
    .toString()
    .split("\n\n")
    .filter((event) => event !== "");
  return events.flatMap((event) => {
    const chunk = JSON.parse(event.slice("data: ".length)) as {
      choices: { delta: { reasoning_details?: unknown[] } }[];
    };
    return chunk.choices[0]?.delta.reasoning_details ?? [];
  });
}

function sentBy(tell: (sink: HubSink) => void): SentAnswer {
  const sent = new SentAnswer();
  tell(new Outgoing(sent, null));
  return sent;
}

describe("reasoning_details of an answer that goes on with another", () => {
  const twoThoughts = (sink: HubSink): void => {
    sink.thought("One.");
    sink.thoughtOpaque(signed("1"), false, null);
    sink.thought("Tw");
  };
  const more = (sink: HubSink): void => {
    sink.thought("o.");
    sink.thoughtOpaque(signed("2"), false, null);
  };

  it("have rising indices, and a signature stands with all that it signs", () => {
    expect(detailsOf("replay", sentBy(twoThoughts), more)).toEqual([entry("Two.", "2", 1)]);
  });

  it("have rising indices where it begins anew, and what was thought in vain is not signed", () => {
    const sent = sentBy(twoThoughts);
    expect(detailsOf("anew", sent, more)).toEqual([entry("o.", "2", 1)]);
    sent.restart();
    expect(detailsOf("anew", sent, more)).toEqual([entry("o.", "2", 1)]);
  });

  it("go on with the entry whose beginning the client has", () => {
    const sent = new SentAnswer();
    const text = { type: "reasoning.text", text: "Tw", format: "anthropic-claude-v1", index: 4 };
    const chunk = { choices: [{ index: 0, delta: { reasoning: "Tw", reasoning_details: [text] } }] };
    noteChunk(sent, chunk, chunk.choices);
    expect(detailsOf("replay", sent, more)).toEqual([entry("o.", "2", 4)]);
    expect(detailsOf("anew", sent, more)).toEqual([entry("o.", "2", 5)]);
    // Another has gone on with it since, and has come to no signature.
    new Outgoing(sent, null).thought("o");
    const last = (sink: HubSink): void => {
      sink.thought(".");
      sink.thoughtOpaque(signed("2"), false, null);
    };
    expect(detailsOf("replay", sent, last)).toEqual([entry("Two.", "2", 5)]);
  });
});
