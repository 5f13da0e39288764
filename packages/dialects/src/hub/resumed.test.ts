import { describe, expect, it } from "vitest";

import type { CompletionMode } from "../completion/completion.ts";
import { SentAnswer } from "../completion/sent.ts";
import { continuationOf } from "../providers/continuation.ts";
import type { HubSink } from "./answer.ts";
import { Listener, type Telling } from "./hub.test-data.ts";
import { Outgoing } from "./outgoing.ts";
import { Resumed } from "./resumed.ts";
import { Told } from "./told.ts";

const signed = { dialect: "anthropic-messages", data: "sig" } as const;
const usage = {
  input_tokens: 12,
  cached_input_tokens: 12,
  output_tokens: 5,
  reasoning_tokens: 0,
  source: "provider",
} as const;

/** What a client was sent by an answer that told this. */
function sentBy(tell: (sink: HubSink) => void): SentAnswer {
  const sent = new SentAnswer();
  tell(new Told(new Outgoing(sent, null)));
  return sent;
}

/** What a completing answer tells of the rest, and why it does not fit, if it does not. */
function rest(
  mode: CompletionMode,
  sent: SentAnswer,
  tell: (sink: HubSink) => void,
): { tellings: readonly Telling[]; misfit: string | null } {
  const listener = new Listener();
  const resumed = new Resumed({ mode, sent, continuation: continuationOf("vllm") }, listener);
  tell(new Told(resumed));
  return { tellings: listener.tellings, misfit: resumed.misfit };
}

describe("the rest of an answer", () => {
  const begun = (sink: HubSink): void => sink.text("Good day to");

  it("has no second beginning, and no thoughts about how to go on", () => {
    const told = rest("exact", sentBy(begun), (sink) => {
      sink.begin("b", "m");
      sink.thought("They want…");
      sink.thoughtOpaque(signed, false, null);
      sink.thoughtOpaque(signed, true, null);
      sink.text(" you");
      sink.finish("stop", null);
    });
    expect(told).toEqual({
      tellings: [
        ["text", " you"],
        ["finish", "stop", null],
      ],
      misfit: null,
    });
  });

  it("tells what was held back before the call that follows it", () => {
    const told = rest("exact", sentBy(begun), (sink) => {
      sink.text("Goo");
      sink.toolCall(0, "c", "go", null);
      sink.toolArguments(0, "{}");
      sink.finish("tool_calls", null);
    });
    expect(told.tellings).toEqual([
      ["text", "Goo"],
      ["toolCall", 0, "c", "go", null],
      ["toolArguments", 0, "{}"],
      ["finish", "tool_calls", null],
    ]);
  });

  it.each([
    ["starts over", (sink: HubSink) => sink.text("Good day to you"), "started over"],
    ["refuses", (sink: HubSink) => sink.refusal("I can't"), "refuses"],
  ])("does not fit when it %s, and tells nothing from then on", (_, tell, why) => {
    const told = rest("exact", sentBy(begun), (sink) => {
      tell(sink);
      sink.text(" more");
      sink.usage(usage);
      sink.finish("stop", null);
    });
    expect(told).toEqual({ tellings: [], misfit: expect.stringContaining(why) });
  });

  it("counts the prompt once, and what was generated before", () => {
    expect(rest("exact", sentBy(begun), (sink) => sink.usage(usage)).tellings).toEqual([
      ["usage", { ...usage, input_tokens: 11, cached_input_tokens: 11, output_tokens: 6, source: "estimate" }],
    ]);
    expect(rest("replay", sentBy(begun), (sink) => sink.usage(usage)).tellings).toEqual([["usage", usage]]);
  });
});

describe("a replay", () => {
  const thoughtful = (sink: HubSink): void => {
    sink.thought("hm");
    sink.thoughtOpaque(signed, true, null);
    sink.text("Hi");
  };
  const other = { dialect: "anthropic-messages", data: "other" } as const;

  it("passes on a signature only where the thought it belongs to goes beyond what was sent", () => {
    const before = rest("replay", sentBy(thoughtful), (sink) => {
      sink.thought("hm");
      sink.thoughtOpaque(other, false, null);
      sink.thoughtOpaque(other, true, null);
      sink.text("Hi you");
    });
    expect(before).toEqual({ tellings: [["text", " you"]], misfit: null });
    const open = sentBy((sink) => sink.thought("h"));
    const after = rest("replay", open, (sink) => {
      sink.thought("hm");
      sink.thoughtOpaque(signed, false, "id");
    });
    expect(after.tellings).toEqual([
      ["thought", "m"],
      ["thoughtOpaque", signed, false, "id"],
    ]);
  });

  it("need not be signed as the broken answer was, and no thought goes on that was signed", () => {
    const sent = sentBy((sink) => {
      sink.thought("hm");
      sink.thoughtOpaque(signed, false, null);
    });
    const again = (...thoughts: readonly string[]): ReturnType<typeof rest> =>
      rest("replay", sent, (sink) => {
        for (const thought of thoughts) sink.thought(thought);
        sink.text("Hi");
      });
    expect(again("hm")).toEqual({ tellings: [["text", "Hi"]], misfit: null });
    expect(again("hm, so").misfit).toBe(
      "it has reasoning where a thought's signature was sent, after 2 characters alike",
    );
    const unsigned = sentBy((sink) => {
      sink.thought("hm");
      sink.text("H");
    });
    const signs = rest("replay", unsigned, (sink) => {
      sink.thought("hm");
      sink.thoughtOpaque(other, false, null);
      sink.text("Hi");
    });
    expect(signs).toEqual({ tellings: [["text", "i"]], misfit: null });
  });

  it("notes a signature as that of the thought that was sent before", () => {
    const sent = sentBy((sink) => sink.thought("hm"));
    const goesOn = new Resumed({ mode: "replay", sent, continuation: null }, new Outgoing(sent, null, true));
    goesOn.thought("hm");
    goesOn.thoughtOpaque(signed, false, null);
    goesOn.thoughtOpaque(signed, true, null);
    expect(sent.choices.get(0)?.parts.map(({ part }) => part)).toEqual([
      "reasoning",
      "a thought's signature",
      "a hidden thought",
    ]);
  });

  it("does not fit without the hidden thought that was sent", () => {
    const told = rest("replay", sentBy(thoughtful), (sink) => {
      sink.thought("hm");
      sink.text("Hi");
    });
    expect(told.misfit).toBe("it has text where a hidden thought was sent, after 2 characters alike");
  });

  it("goes on with a call inside its arguments, and not inside its name", () => {
    const called = sentBy((sink) => {
      sink.toolCall(0, "c", "go", null);
      sink.toolArguments(0, '{"a"');
    });
    const again = rest("replay", called, (sink) => {
      sink.toolCall(0, "d", "go", null);
      sink.toolArguments(0, '{"a":1}');
      sink.toolCall(1, "e", "stay", null);
    });
    expect(again.tellings).toEqual([
      ["toolArguments", 0, ":1}"],
      ["toolCall", 1, "e", "stay", null],
    ]);
    const half = new SentAnswer();
    half.add(0, "the name of call 0", "get_");
    expect(rest("replay", half, (sink) => sink.toolCall(0, "d", "get_weather", null)).misfit).toBe(
      "the name of a call was sent in part",
    );
  });

  it("does not tell an end twice, and fits no other end", () => {
    const ended = (reason: "stop" | "length"): SentAnswer =>
      sentBy((sink) => {
        sink.text("Hi");
        sink.finish(reason, null);
      });
    const again = (sink: HubSink): void => {
      sink.text("Hi");
      sink.finish("stop", null);
    };
    expect(rest("replay", ended("stop"), again)).toEqual({ tellings: [], misfit: null });
    expect(rest("replay", ended("length"), again).misfit).toContain("ends for another reason");
  });
});

describe("an answer that begins anew", () => {
  it("is told whole, and what was sent counts no longer", () => {
    const sent = sentBy((sink) => sink.thought("hm"));
    const told = rest("anew", sent, (sink) => {
      sink.begin("b", "m");
      sink.thought("so");
      sink.thoughtOpaque(signed, false, null);
      sink.text("Hi");
    });
    expect(told.tellings).toEqual([
      ["thought", "so"],
      ["thoughtOpaque", signed, false, null],
      ["text", "Hi"],
    ]);
    expect(sent.choices.size).toBe(0);
  });
});
