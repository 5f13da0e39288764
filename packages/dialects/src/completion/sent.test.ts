import fc from "fast-check";
import { expect, it } from "vitest";

import { SentAnswer } from "./sent.ts";

const pieces = fc.array(fc.tuple(fc.constantFrom("text", "reasoning"), fc.string({ minLength: 1, maxLength: 40 })), {
  maxLength: 30,
});

function sent(said: readonly (readonly [part: string, text: string])[], answer = new SentAnswer()): SentAnswer {
  for (const [part, text] of said) answer.add(0, part, text);
  return answer;
}

it("what was sent before an answer began anew counts no more, but was sent", () => {
  fc.assert(
    fc.property(pieces, pieces, (before, after) => {
      const answer = sent(before);
      answer.restart();
      expect(answer.tokens).toBe(0);
      sent(after, answer);
      const alone = sent(after);
      expect(answer.tokens).toBe(alone.tokens);
      expect(answer.choices).toEqual(alone.choices);
      expect(answer.length).toBe(sent(before).length + alone.length);
    }),
  );
});
