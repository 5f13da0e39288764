import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { bodyFor, type Fitted } from "./body.ts";
import { mistral } from "./mistral.ts";
import type { BodyWish } from "./preset.ts";

const made = (wish: BodyWish, body: Buffer | object): { readonly fields: unknown; readonly notes: Fitted["notes"] } => {
  const fitted = bodyFor({ body: wish }, Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body)));
  return { fields: JSON.parse(fitted.body.toString()) as unknown, notes: fitted.notes };
};

describe("a body in a provider's own terms", () => {
  it("is the body itself where nothing is wished for", () => {
    const body = Buffer.from('{"model":"m"}');
    expect(bodyFor({}, body)).toEqual({ body, notes: [] });
    const wish = { without: ["x"], set: { model: "other" }, userId: { at: ["metadata", "user_id"], longest: 9 } };
    expect(bodyFor({ body: wish }, body).body).toBe(body);
  });

  it("has what is wished for and nothing else changed, for any body", () => {
    const keys = fc.constantFrom("model", "stream", "version", "a", "b");
    fc.assert(
      fc.property(
        fc.dictionary(keys, fc.jsonValue({ maxDepth: 1 })),
        fc.subarray(["model", "stream", "a"]),
        fc.dictionary(fc.constantFrom("version", "b", "__proto__"), fc.oneof(fc.string(), fc.integer(), fc.boolean())),
        fc.constantFrom(0, 1, 2),
        (fields, without, set, indent) => {
          const { fields: got, notes } = made({ without, set }, Buffer.from(JSON.stringify(fields, null, indent)));
          const expected = Object.entries(fields).filter(([key]) => !without.includes(key));
          const added = Object.entries(set).filter(([key]) => !Object.hasOwn(fields, key) || without.includes(key));
          expect(got).toEqual(JSON.parse(JSON.stringify(Object.fromEntries([...expected, ...added]))));
          const left = Object.keys(fields).filter((key) => without.includes(key));
          expect(notes).toEqual(left.map((key) => `${key} was left out: it is not taken there`));
        },
      ),
    );
  });

  it("lacks without a word what the path says", () => {
    expect(made({ saidElsewhere: ["model"] }, { model: "m", n: 1 })).toEqual({ fields: { n: 1 }, notes: [] });
  });

  it("says what has another name there, and what it had by that name already", () => {
    const wish = { rename: { seed: "random_seed" } };
    expect(made(wish, { seed: 7 })).toEqual({
      fields: { random_seed: 7 },
      notes: ["seed was sent as random_seed"],
    });
    expect(made(wish, { seed: 7, random_seed: 8 })).toEqual({
      fields: { random_seed: 8 },
      notes: ["seed was left out: it is not taken there"],
    });
  });
});

describe("an id of a user", () => {
  const wish: BodyWish = { userId: { at: ["metadata", "user_id"], longest: 64 } };
  const sent = (id: unknown): object => ({ metadata: { other: 1, user_id: id }, model: "m" });

  it.each(["user_1-a", "x".repeat(64), 7, null])("stays as it is where its form is taken: %s", (id) => {
    const body = Buffer.from(JSON.stringify(sent(id)));
    expect(bodyFor({ body: wish }, body)).toEqual({ body, notes: [] });
  });

  it("is sent as its digest in any other form, the same one every time, and nothing else changes", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (id) => {
        fc.pre(!/^[a-zA-Z0-9_-]{1,64}$/.test(id));
        const once = made(wish, sent(id));
        expect(once).toEqual({
          fields: sent(expect.stringMatching(/^[0-9a-f]{64}$/)),
          notes: ["metadata.user_id was sent as a digest: only letters, digits, _ and - are taken there"],
        });
        expect(made(wish, sent(id))).toEqual(once);
      }),
    );
  });

  it.each([{}, { metadata: null }, { metadata: [] }, { metadata: { id: "a b" } }])(
    "need not be there: %j",
    (fields) => {
      expect(made(wish, fields)).toEqual({ fields, notes: [] });
    },
  );
});

it("Mistral's seed is its random_seed, and what it refuses is left out", () => {
  const [endpoint] = mistral.endpoints.chat ?? [];
  const sent = { model: "m", seed: 7, stream_options: { include_usage: true }, user: "u", temperature: 0 };
  expect(made(endpoint?.body ?? {}, sent)).toEqual({
    fields: { model: "m", random_seed: 7, temperature: 0 },
    notes: [
      "seed was sent as random_seed",
      "stream_options was left out: it is not taken there",
      "user was left out: it is not taken there",
    ],
  });
});
