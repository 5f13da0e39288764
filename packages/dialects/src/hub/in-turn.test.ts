import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { HubSink } from "./answer.ts";
import { Listener, type Telling } from "./hub.test-data.ts";
import { InTurn } from "./in-turn.ts";

const signed = { dialect: "gemini", data: "sig" } as const;

function told(tell: (sink: HubSink) => void): { tellings: readonly Telling[]; failure: string | null } {
  const listener = new Listener();
  const inTurn = new InTurn(listener);
  tell(inTurn);
  return { tellings: listener.tellings, failure: inTurn.failure?.reason ?? null };
}

/** A part of an answer, whose content comes in pieces. */
interface Part {
  readonly kind: "text" | "thought" | "refusal" | "call" | "opaque";
  readonly pieces: readonly string[];
}

const pieces = fc.array(fc.string({ minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 4 });
const cut = (json: string, size: number): string[] => json.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];
const part: fc.Arbitrary<Part> = fc.oneof(
  fc.record({ kind: fc.constantFrom("text" as const, "thought" as const, "refusal" as const), pieces }),
  fc
    .tuple(fc.dictionary(fc.string({ maxLength: 4 }), fc.jsonValue({ maxDepth: 2 })), fc.integer({ min: 1, max: 5 }))
    .map(([input, size]): Part => ({ kind: "call", pieces: cut(JSON.stringify(input), size) })),
  // What a model wrote in place of an object, and a call without arguments.
  fc.constantFrom("", "null", "[1,", '"{}"', "{").map((json): Part => ({ kind: "call", pieces: cut(json, 2) })),
  fc.constant<Part>({ kind: "opaque", pieces: [] }),
);
const isWhole = (json: string): boolean => {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
};

/** Tells parts in the order of their beginnings, the arguments of calls as late as `turns` has it. */
function tellMixed(parts: readonly Part[], turns: readonly number[], sink: HubSink): void {
  const open: { call: number; rest: string[] }[] = [];
  let calls = 0;
  let turn = 0;
  const some = (): void => {
    for (let left = turns[turn++ % turns.length] ?? 0; left > 0; left--) {
      const one = open[left % Math.max(1, open.length)];
      const piece = one?.rest.shift();
      if (one !== undefined && piece !== undefined) sink.toolArguments(one.call, piece);
    }
  };
  for (const { kind, pieces: said } of parts) {
    if (kind === "call") {
      sink.toolCall(calls, `id-${calls}`, "f", null);
      open.push({ call: calls++, rest: [...said] });
    } else if (kind === "opaque") sink.thoughtOpaque(signed, true, null);
    else for (const piece of said) sink[kind](piece);
    some();
  }
  for (const { call, rest } of open) for (const piece of rest) sink.toolArguments(call, piece);
  sink.finish("stop", null);
}

/** What is told of whole parts, one after the other. */
function inOrder(parts: readonly Part[]): readonly Telling[] {
  const listener = new Listener();
  let calls = 0;
  for (const { kind, pieces: said } of parts) {
    const all = said.join("");
    if (kind === "call") {
      listener.toolCall(calls, `id-${calls}`, "f", null);
      if (all !== "") listener.toolArguments(calls, all);
      calls++;
    } else if (kind === "opaque") listener.thoughtOpaque(signed, true, null);
    else listener[kind](all);
  }
  listener.finish("stop", null);
  return listener.tellings;
}

describe("an answer told in turn", () => {
  it("is each part whole before the next one, in the order of their beginnings, however late arguments come", () => {
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 8 }),
        fc.array(fc.nat({ max: 6 }), { minLength: 1, maxLength: 6 }),
        (parts, turns) => {
          const { tellings, failure } = told((sink) => tellMixed(parts, turns, sink));
          expect(failure).toBeNull();
          expect(tellings).toEqual(inOrder(parts));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("holds nothing back that is in turn already", () => {
    const listener = new Listener();
    const inTurn = new InTurn(listener);
    const steps: readonly (readonly [(sink: HubSink) => void, Telling])[] = [
      [(sink) => sink.begin("i", "m"), ["begin", "i", "m"]],
      [(sink) => sink.thought("hm"), ["thought", "hm"]],
      [(sink) => sink.thoughtOpaque(signed, false, "t"), ["thoughtOpaque", signed, false, "t"]],
      [(sink) => sink.text("a"), ["text", "a"]],
      [(sink) => sink.toolCall(0, "c", "f", signed), ["toolCall", 0, "c", "f", signed]],
      [(sink) => sink.toolArguments(0, '{"a":"}'), ["toolArguments", 0, '{"a":"}']],
      [(sink) => sink.toolArguments(0, '\\""} '), ["toolArguments", 0, '{"a":"}\\""} ']],
      [(sink) => sink.toolCall(1, "d", "g", null), ["toolCall", 1, "d", "g", null]],
      [(sink) => sink.toolArguments(1, "{}"), ["toolArguments", 1, "{}"]],
      [(sink) => sink.refusal("no"), ["refusal", "no"]],
    ];
    for (const [tell, expected] of steps) {
      tell(inTurn);
      expect(listener.tellings.at(-1)).toEqual(expected);
    }
  });

  it("goes on as soon as the arguments are whole", () => {
    const listener = new Listener();
    const inTurn = new InTurn(listener);
    inTurn.toolCall(0, "c", "f", null);
    inTurn.toolArguments(0, '{"a":');
    inTurn.text("said ");
    inTurn.toolCall(1, "d", "g", null);
    inTurn.toolArguments(1, "{}");
    inTurn.text("meanwhile");
    expect(listener.tellings).toHaveLength(2);
    inTurn.toolArguments(0, "1}");
    expect(listener.tellings.slice(2)).toEqual([
      ["text", "said "],
      ["toolCall", 1, "d", "g", null],
      ["toolArguments", 1, "{}"],
      ["text", "meanwhile"],
    ]);
  });

  it("fails where arguments go on after another part had its turn, but for white space", () => {
    const late = (json: string): string | null =>
      told((sink) => {
        sink.toolCall(0, "c", "f", null);
        sink.toolArguments(0, "{}");
        sink.text("so");
        sink.toolArguments(0, json);
      }).failure;
    expect(late("\n ")).toBeNull();
    expect(late("{}")).toBe("arguments of a call came after they were whole");
  });

  it("fails where too much waits for arguments that do not end", () => {
    const piece = "x".repeat(64 * 1024);
    const { failure, tellings } = told((sink) => {
      sink.toolCall(0, "c", "f", null);
      for (let i = 0; i < 17; i++) sink.text(piece);
    });
    expect([failure, tellings]).toEqual([
      "the arguments of a call did not end, and too much came besides",
      [["toolCall", 0, "c", "f", null]],
    ]);
  });
});

it("an object's end is seen with its last bracket, wherever it is cut", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.constantFrom("", " ", "\n"),
      fc.integer({ min: 1, max: 6 }),
      (input, space, size) => {
        const json = space + JSON.stringify(input, null, space);
        expect(isWhole(json)).toBe(true);
        const listener = new Listener();
        const inTurn = new InTurn(listener);
        inTurn.toolCall(0, "c", "f", null);
        const all = cut(json, size);
        for (const piece of all) {
          expect(listener.tellings.some(([what]) => what === "text")).toBe(false);
          inTurn.text("next");
          inTurn.toolArguments(0, piece);
        }
        expect(listener.tellings.at(-1)).toEqual(["text", "next".repeat(all.length)]);
      },
    ),
  );
});
