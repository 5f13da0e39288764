import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { relabelObject } from "./answer.ts";
import { StreamRelabel } from "./stream.ts";

describe("an answer whose model is named otherwise", () => {
  it("changes in nothing else", () => {
    const body = Buffer.from('{ "id":1, "model" : "up/stream" , "choices":[{"model":"inner"}] }');
    expect(relabelObject(body, 'my "own"').toString()).toBe(
      String.raw`{ "id":1, "model" : "my \"own\"" , "choices":[{"model":"inner"}] }`,
    );
  });

  it("stays as it is when it names none", () => {
    for (const text of ['{"id":1}', "[]", "", "half {"]) {
      const body = Buffer.from(text);
      expect(relabelObject(body, "m")).toBe(body);
    }
  });
});

describe("a stream whose model is named otherwise", () => {
  const stream = [
    ": keep-alive\n\n",
    'data: {"id":"é","model":"up","choices":[{"delta":{"content":"\\"model\\":\\"up\\""}}]}\n\n',
    'event: message\ndata: {"id":"2",\ndata: "model":"up"}\r\n\r\n',
    'data: {"error":{"message":"no model here"}}\n\n',
    "retry: 5\n\n",
    "data: [DONE]\n\n",
  ];
  const whole = Buffer.from(stream.join(""));

  const relabel = (chunks: readonly Buffer[]): string => {
    const relabelling = new StreamRelabel("mine");
    return Buffer.concat(chunks.flatMap((chunk) => relabelling.push(chunk))).toString();
  };

  it("changes in nothing else", () => {
    expect(relabel([whole])).toBe(
      [
        ": keep-alive\n\n",
        'data: {"id":"é","model":"mine","choices":[{"delta":{"content":"\\"model\\":\\"up\\""}}]}\n\n',
        'event: message\ndata: {"id":"2",\ndata: "model":"mine"}\n\n',
        'data: {"error":{"message":"no model here"}}\n\n',
        "retry: 5\n\n",
        "data: [DONE]\n\n",
      ].join(""),
    );
  });

  it("is the same wherever it is cut, and gives a chunk that names no model as itself", () => {
    const expected = relabel([whole]);
    fc.assert(
      fc.property(fc.array(fc.nat(whole.length), { maxLength: 6 }), (places) => {
        const cuts = [0, ...places.toSorted((a, b) => a - b), whole.length];
        const chunks = cuts.slice(1).map((end, index) => whole.subarray(cuts[index], end));
        expect(relabel(chunks)).toBe(expected);
      }),
    );
    const silent = Buffer.from("data: [DONE]\n\n");
    expect(new StreamRelabel("mine").push(silent)[0]).toBe(silent);
  });
});
