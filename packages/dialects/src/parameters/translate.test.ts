import { mayBeLeftOut, takenAs, type ParameterFacts } from "@tuloy/contract";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { readChatRequest } from "../openai-chat/request.ts";
import { readEmbeddingsRequest } from "../openai-embeddings/request.ts";
import { isReadRequest, type ReadRequest } from "../request.ts";

const quiet = { streamUsage: false };

function facts(said: { takes?: string[]; refuses?: string[]; modelRefuses?: string[] }): ParameterFacts {
  return {
    takes: said.takes === undefined ? null : new Set(said.takes),
    refuses: new Set(said.refuses ?? []),
    modelRefuses: new Set(said.modelRefuses ?? []),
    maxStops: null,
  };
}

function read(text: string, from: typeof readChatRequest = readChatRequest): ReadRequest {
  const request = from(Buffer.from(text));
  if (!isReadRequest(request)) throw new Error(request.message);
  return request;
}

/** What is sent of a body with these members, and what is noted. */
function sent(members: string, known: ParameterFacts, substitute = false): { text: string; notes: readonly string[] } {
  const request = read(`{"model":"m","messages":[]${members}}`);
  const target = { facts: known, substitute };
  const text = request.encode("m", quiet, target).toString();
  expect(text.startsWith('{"model":"m","messages":[]')).toBe(true);
  return { text: text.slice('{"model":"m","messages":[]'.length, -1), notes: request.notes(target) };
}

describe("a parameter that a deployment takes under another name", () => {
  it.each([
    [
      ["max_tokens"],
      ', "max_tokens" : 5',
      ', "max_completion_tokens" : 5',
      "max_tokens was sent as max_completion_tokens",
    ],
    [
      ["max_completion_tokens"],
      ',"max_completion_tokens":5',
      ',"max_tokens":5',
      "max_completion_tokens was sent as max_tokens",
    ],
    [
      ["max_tokens"],
      String.raw`,"max\u005ftokens":5`,
      ',"max_completion_tokens":5',
      "max_tokens was sent as max_completion_tokens",
    ],
    [
      ["reasoning"],
      ',"reasoning":{"effort":"high"}',
      ',"reasoning_effort":"high"',
      "reasoning was sent as reasoning_effort",
    ],
    [
      ["reasoning"],
      ',"reasoning":{"exclude":true,"effort":"low"}',
      ',"reasoning_effort":"low"',
      "reasoning was sent as reasoning_effort",
    ],
    [
      ["reasoning"],
      ',"reasoning":{"enabled":false}',
      ',"reasoning_effort":"none"',
      "reasoning was sent as reasoning_effort",
    ],
    [
      ["reasoning_effort"],
      ',"reasoning_effort":"low"',
      ',"reasoning":{"effort":"low"}',
      "reasoning_effort was sent as reasoning",
    ],
  ])("refusing %j, has %s as %s", (refuses, members, expected, note) => {
    expect(sent(members, facts({ refuses }))).toEqual({ text: expected, notes: [note] });
    expect(sent(members, facts({ modelRefuses: refuses }))).toEqual({ text: expected, notes: [note] });
  });

  it("is left out where its other name is there already", () => {
    const both = ',"max_tokens":5,"max_completion_tokens":6';
    expect(sent(both, facts({ refuses: ["max_tokens"] })).text).toBe(',"max_completion_tokens":6');
    expect(sent(both, facts({ refuses: ["max_completion_tokens"] })).text).toBe(',"max_tokens":5');
  });

  it("is noted where the other name cannot say all of it", () => {
    const refuses = ["reasoning"];
    expect(sent(',"reasoning":{"effort":"low","max_tokens":5}', facts({ refuses }))).toEqual({
      text: ',"reasoning_effort":"low"',
      notes: ["reasoning was sent as reasoning_effort, which cannot say all of it"],
    });
    expect(sent(',"reasoning":{"max_tokens":5},"x":1', facts({ refuses }))).toEqual({
      text: ',"x":1',
      notes: ["reasoning was left out: it is not taken there"],
    });
  });

  it("goes as it came where both names are taken, or nothing is known", () => {
    const members = ',"max_tokens":5,"reasoning":{"effort":"low"}';
    expect(sent(members, facts({}))).toEqual({ text: members, notes: [] });
    expect(sent(members, facts({ takes: ["max_tokens", "reasoning"] }))).toEqual({ text: members, notes: [] });
  });
});

describe("a parameter that a deployment does not take", () => {
  it("is left out with a note, wherever the provider is known not to take it", () => {
    const left = { text: ',"temperature":1', notes: ["top_k was left out: it is not taken there"] };
    expect(sent(',"top_k":5,"temperature":1', facts({ refuses: ["top_k"] }))).toEqual(left);
    expect(sent(',"temperature":1,"top_k":5', facts({ takes: ["temperature"] }))).toEqual(left);
  });

  it("stays where only the model refuses it: its sender chose the model, and its provider says so", () => {
    const known = facts({ modelRefuses: ["temperature"] });
    expect(sent(',"temperature":1', known)).toEqual({ text: ',"temperature":1', notes: [] });
    expect(sent(',"temperature":1', known, true).text).toBe("");
  });

  it("is never left out where the answer would be another kind of answer without it", () => {
    const members = ',"tools":[],"response_format":{},"stop":["x"],"n":2,"max_tokens":5';
    expect(sent(members, facts({ takes: [] }), true)).toEqual({ text: members, notes: [] });
  });

  it("is found by its name in embeddings too", () => {
    const request = read('{"input":"x","model":"m","priority":1,"dimensions":8}', readEmbeddingsRequest);
    const target = { facts: facts({ takes: [] }), substitute: false };
    expect(request.encode("up", quiet, target).toString()).toBe('{"input":"x","model":"up","dimensions":8}');
    expect(request.notes(target)).toEqual(["priority was left out: it is not taken there"]);
  });
});

describe("a translated request", () => {
  const name: fc.Arbitrary<string> = fc.constantFrom(
    "max_tokens",
    "max_completion_tokens",
    "reasoning",
    "reasoning_effort",
    "temperature",
    "top_k",
    "stop",
    "tools",
    "x y",
    "__proto__",
  );
  const known = fc.record({
    takes: fc.option(fc.uniqueArray(name)),
    refuses: fc.uniqueArray(name),
    modelRefuses: fc.uniqueArray(name),
  });
  const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.record({ effort: fc.constantFrom("low", "high") }));
  const spaces = fc.constantFrom("", " ", "\n");
  const members = fc.uniqueArray(fc.tuple(name, value, spaces), { selector: ([key]) => key });

  it("has every member that is taken or essential in its own bytes, and no other change than was noted", () => {
    fc.assert(
      fc.property(members, known, fc.boolean(), (given, { takes, refuses, modelRefuses }, substitute) => {
        const target = {
          facts: facts({ refuses, modelRefuses, ...(takes === null ? {} : { takes }) }),
          substitute,
        };
        const texts = given.map(
          ([key, item, space]) => `${JSON.stringify(key)}${space}:${space}${JSON.stringify(item)}`,
        );
        const text = `{${['"model":"m"', ...texts, '"messages":[]'].join(",")}}`;
        const request = read(text);
        const out = request.encode("m", quiet, target).toString();
        const notes = request.notes(target);
        const fields = JSON.parse(out) as Record<string, unknown>;
        expect(fields).toMatchObject({ model: "m", messages: [] });
        const unchanged = texts.filter((_, index) => {
          const [key = "", item] = given[index] ?? [];
          const as = takenAs(target.facts, key);
          return item === null || as === key || (as === null && !mayBeLeftOut(key));
        });
        expect(unchanged.filter((member) => !out.includes(member))).toEqual([]);
        expect(notes.length === 0).toBe(out === text);
        // Nothing is sent that is known not to be taken, except what the sender chose or what may not be left out.
        for (const key of Object.keys(fields)) {
          const refused = refuses.includes(key) || (takes !== null && !takes.includes(key));
          const used = fields[key] !== null && key !== "model" && key !== "messages";
          expect(used && refused && mayBeLeftOut(key)).toBe(false);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
