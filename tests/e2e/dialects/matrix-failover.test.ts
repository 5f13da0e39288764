import type { ReceivedRequest, Script } from "@tuloy/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { apiKey } from "../../harness.ts";
import { arrived } from "../../matrix/arrived.ts";
import { official, type Asked, type AskedTurn, type Client, type Heard } from "../../matrix/clients.ts";
import { overloads } from "../../matrix/fails.ts";
import { raised } from "../../matrix/raised.ts";
import { claudes, sealOf, says, spoken, type Said, type Spoken } from "../../matrix/said.ts";
import { headersOf, name, openPairs, pairs, strict, type Pair } from "../../matrix/scenes.ts";
import { vercels } from "../../matrix/vercel.ts";

const looks: Said = {
  thought: "I have to look.",
  text: "I look.",
  calls: [
    { id: "call_1", name: "weather", input: { at: "Manila" } },
    { id: "call_2", name: "time", input: { at: "Cebu" } },
  ],
};
const looksAgain: Said = { thought: "Davao too.", calls: [{ id: "call_3", name: "weather", input: { at: "Davao" } }] };
const concludes: Said = { text: "It rains in all of them." };

const asks: Asked = { turns: [{ user: "How is the weather?" }], tools: ["weather", "time"], thinks: true };

/** Those who seal also what they do not show. */
const hides: ReadonlySet<Spoken> = new Set(["openai-responses", ...claudes]);

/** What was said and done by then, with the tools' answers. */
function history(first: string, second: string) {
  return [
    ["user", "text", "How is the weather?"],
    ["assistant", "text", "I look."],
    ["assistant", "call", "call_1", "weather", '{"at":"Manila"}'],
    ["assistant", "call", "call_2", "time", '{"at":"Cebu"}'],
    ["user", "result", "call_1", first],
    ["user", "result", "call_2", second],
  ];
}

function more(third: string) {
  return [
    ["assistant", "call", "call_3", "weather", '{"at":"Davao"}'],
    ["user", "result", "call_3", third],
  ];
}

describe("a conversation with tools and thoughts goes to another provider and back, and each takes what the other made", () => {
  let opened: Awaited<ReturnType<typeof openPairs>>;

  beforeAll(async () => {
    opened = await openPairs();
  });
  afterAll(() => opened.close());

  /** One provider calls tools and fails at the next request, which another one answers with a call of its own; the first concludes. */
  async function goesThereAndBack([first, second]: Pair, converse: () => Promise<void>, shown = true) {
    const { [first]: from, [second]: to } = opened.scene;
    const asked = [from.requests.length, to.requests.length] as const;
    const answers = (dialect: Spoken, said: Said): Script =>
      strict(dialect, says[dialect](shown || said.thought === undefined ? said : { ...said, thought: "" }));
    from.script([answers(first, looks), overloads[first], answers(first, concludes)]);
    to.script([answers(second, looksAgain)]);
    await converse();
    const [there] = to.requests.slice(asked[1]);
    const back = from.requests.slice(asked[0])[2];
    if (there === undefined || back === undefined) throw new Error("somebody was not asked");
    return { there, back };
  }

  const placeOf = (pair: Pair) => ({
    url: opened.scene.gateway.url,
    key: apiKey,
    model: name,
    headers: headersOf(pair),
  });

  describe.each(Object.entries(official))("for a client of %s", (_, client) => {
    test.each(pairs)("from %s to %s", async (...pair) => {
      const [first, second] = pair;
      for (const stream of [false, true]) {
        const { there, back } = await goesThereAndBack(pair, () => converses(client, pair, stream));
        const before = history("weather!", "time!");
        expect(arrived[second](there).pieces).toEqual(before);
        expect(arrived[first](back).pieces).toEqual([...before, ...more("weather!")]);
        // What its own maker sealed came back to it, and nothing of others.
        expect(sealsIn(back)).toEqual(sealsFor(first, second, client).toSorted());
      }
    });
  });

  describe.each(Object.entries(official))("with thoughts that show nothing, for a client of %s", (_, client) => {
    test.each(pairs.filter((pair) => pair.every((dialect) => hides.has(dialect))))("from %s to %s", async (...pair) => {
      const [first] = pair;
      for (const stream of [false, true]) {
        const { back } = await goesThereAndBack(pair, () => converses(client, pair, stream), false);
        expect(arrived[first](back).pieces).toEqual([...history("weather!", "time!"), ...more("weather!")]);
        // Not even Claude's go from one to the other.
        expect(sealsIn(back)).toEqual([first]);
      }
    });
  });

  async function converses(client: Client, pair: Pair, stream: boolean): Promise<void> {
    const turns: AskedTurn[] = [...asks.turns];
    const turn = async (): Promise<Heard> => {
      const heard = await client.ask(placeOf(pair), { ...asks, turns }, stream);
      turns.push({ said: heard });
      if (heard.calls.length > 0) {
        turns.push({
          results: heard.calls.map(({ id, name: called }) => ({ id, name: called, output: `${called}!` })),
        });
      }
      return heard;
    };
    expect((await turn()).calls).toEqual(looks.calls);
    expect((await turn()).calls).toEqual(looksAgain.calls);
    expect((await turn()).text).toBe(concludes.text);
  }

  /** It runs the tools itself and asks again. */
  describe.each(Object.entries(vercels))("for Vercel's SDK by %s", (_, client) => {
    test.each(pairs)("from %s to %s", async (...pair) => {
      const [first, second] = pair;
      for (const stream of [false, true]) {
        const { there, back } = await goesThereAndBack(pair, async () => {
          const { text, calls } = await client.ask(placeOf(pair), asks, stream);
          expect({ text, calls }).toEqual({
            ...concludes,
            calls: [...(looks.calls ?? []), ...(looksAgain.calls ?? [])],
          });
        });
        const before = history("weather in Manila", "time in Cebu");
        expect(arrived[second](there).pieces).toEqual(before);
        expect(arrived[first](back).pieces).toEqual([...before, ...more("weather in Davao")]);
      }
    });
  });
});

/** Each first once, and each second. */
const ring = spoken.map((first, at): Pair => [first, spoken.at(at - 1) ?? first]);

describe("when both have too much to do, the client hears so in its own dialect, and each was asked once", () => {
  let opened: Awaited<ReturnType<typeof openPairs>>;

  beforeAll(async () => {
    opened = await openPairs();
  });
  afterAll(() => opened.close());

  describe.each(Object.entries<Client>({ ...official, ...vercels }))("a client of %s", (_, client) => {
    test.each(ring)("of %s and %s", async (...pair) => {
      const [first, second] = pair;
      const { [first]: from, [second]: to, gateway } = opened.scene;
      from.script(overloads[first]);
      to.script(overloads[second]);
      const asked = from.requests.length + to.requests.length;
      const { gist } = await raised(client, gateway.url, true, { headers: headersOf(pair) });
      expect(gist.kind).toMatch(/^(?:InternalServerError|APICallError)$/);
      expect(gist.status).toBeGreaterThanOrEqual(500);
      expect(from.requests.length + to.requests.length - asked).toBe(2);
    });
  });
});

const sealsIn = (request: ReceivedRequest): readonly Spoken[] => {
  const text = JSON.stringify(request.json());
  return spoken.filter((dialect) => text.includes(sealOf(dialect))).toSorted();
};

/** The seals that a provider gets: those on its own thoughts, and Claude's also from elsewhere. */
function sealsFor(dialect: Spoken, other: Spoken, client: Client): readonly Spoken[] {
  if (dialect === "openai-chat") {
    // What a client sends in a deployment's own dialect is passed on as it is.
    return client.dialect === dialect ? [other] : [];
  }
  return claudes.has(dialect) && claudes.has(other) ? [dialect, other] : [dialect];
}
