import type { Failure } from "@tuloy/contract";
import { describe, expect, it } from "vitest";

import type { HubSink } from "./answer.ts";
import { Listener } from "./hub.test-data.ts";
import { Told } from "./told.ts";

const failure: Failure = { class: "overloaded", reason: "busy", status: 200, code: null, retryAfterMs: null };

function through(tell: (sink: HubSink) => void): { told: Told; tellings: Listener["tellings"] } {
  const listener = new Listener();
  const told = new Told(listener);
  tell(told);
  return { told, tellings: listener.tellings };
}

describe("an answer as it is told", () => {
  it("begins before its content, once, whoever forgot or repeats it", () => {
    expect(through((sink) => sink.text("a")).tellings).toEqual([
      ["begin", null, null],
      ["text", "a"],
    ]);
    const twice = through((sink) => {
      sink.begin("i", "m");
      sink.begin("j", "n");
      sink.finish("stop", null);
    });
    expect(twice.tellings).toEqual([
      ["begin", "i", "m"],
      ["finish", "stop", null],
    ]);
  });

  it("ends once, and what comes after is left out with one note", () => {
    const { told, tellings } = through((sink) => {
      sink.text("a");
      sink.finish("length", null);
      sink.finish("stop", null);
      for (let i = 0; i < 100; i++) sink.text("late");
    });
    expect(tellings.slice(1)).toEqual([
      ["text", "a"],
      ["finish", "length", null],
    ]);
    expect(told).toMatchObject({ ending: "length", textLength: 1 });
    expect(told.notes).toEqual(["content after the answer's end was left out"]);
  });

  it("says nothing more after a failure, and keeps the first", () => {
    const { told, tellings } = through((sink) => {
      sink.text("a");
      sink.fail(failure);
      sink.fail({ ...failure, reason: "later" });
      sink.text("b");
      sink.finish("stop", null);
    });
    expect(tellings.slice(1)).toEqual([["text", "a"]]);
    expect(told.failure).toBe(failure);
  });

  it("is committed by content alone: not by its beginning, an empty text or a thought that nobody can read", () => {
    const opaque = { dialect: "gemini", data: "x" } as const;
    const { told } = through((sink) => {
      sink.begin("i", "m");
      sink.text("");
      sink.thoughtOpaque(opaque, true, null);
    });
    expect(told).toMatchObject({ committed: false, progress: true, textLength: 0 });
    told.toolCall(0, "c", "", null);
    expect(told).toMatchObject({ committed: true, textLength: 1 });
  });

  it("keeps a bounded number of notes, each once", () => {
    const { told } = through((sink) => {
      for (let i = 0; i < 500; i++) sink.left(`thing ${i % 100}`);
    });
    expect(told.notes).toHaveLength(20);
  });
});
