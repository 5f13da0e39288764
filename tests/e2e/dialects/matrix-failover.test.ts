import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { apiKey } from "../../harness.ts";
import { arrived } from "../../matrix/arrived.ts";
import { official, type Asked, type AskedTurn, type Client, type Heard } from "../../matrix/clients.ts";
import { sealOf, says, spoken, type Said, type Spoken } from "../../matrix/said.ts";
import { name, providers, strict } from "../../matrix/scenes.ts";
import { openScene } from "../../scene.ts";

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

const pairs = spoken.flatMap((first) => spoken.filter((other) => other !== first).map((second) => [first, second]));

describe("a conversation with tools and thoughts goes to another provider and back, and each takes what the other made", () => {
  let opened: Awaited<ReturnType<typeof openScene<Spoken>>>;

  beforeAll(async () => {
    const parts = Object.fromEntries(spoken.map((dialect) => [dialect, []])) as unknown as Record<Spoken, []>;
    // What a test has fail is no reason to pass over it in the next.
    const failover = "breaker: { failures: 1000, of: 1000 }";
    opened = await openScene(parts, { providers, failover });
  });
  afterAll(() => opened.close());

  describe.each(Object.entries(official))("for a client of %s", (_, client) => {
    test.each(pairs)("from %s to %s", async (first, second) => {
      for (const stream of [false, true]) {
        const { there, back } = await goesThereAndBack(client, first, second, stream);
        const history = [
          ["user", "text", "How is the weather?"],
          ["assistant", "text", "I look."],
          ["assistant", "call", "call_1", "weather", '{"at":"Manila"}'],
          ["assistant", "call", "call_2", "time", '{"at":"Cebu"}'],
          ["user", "result", "call_1", "weather!"],
          ["user", "result", "call_2", "time!"],
        ];
        const more = [
          ["assistant", "call", "call_3", "weather", '{"at":"Davao"}'],
          ["user", "result", "call_3", "weather!"],
        ];
        expect(arrived[second](there).pieces).toEqual(history);
        expect(arrived[first](back).pieces).toEqual([...history, ...more]);
        // What its own maker sealed came back to it, and nothing of others.
        const text = JSON.stringify(back.json());
        const seals = spoken.filter((dialect) => text.includes(sealOf(dialect)));
        expect(seals.toSorted()).toEqual(sealsFor(first, second, client).toSorted());
      }
    });
  });

  async function goesThereAndBack(client: Client, first: Spoken, second: Spoken, stream: boolean) {
    const { gateway, [first]: from, [second]: to } = opened.scene;
    const asked = [from.requests.length, to.requests.length] as const;
    const answers = (dialect: Spoken, said: Said) => strict(dialect, says[dialect](said));
    from.script([answers(first, looks), (reply) => reply.json(503, {}), answers(first, concludes)]);
    to.script([answers(second, looksAgain)]);

    const turns: AskedTurn[] = [{ user: "How is the weather?" }];
    const turn = async (): Promise<Heard> => {
      const asks: Asked = { turns, tools: ["weather", "time"], thinks: true };
      const only = { provider: { order: [first, second], allow_fallbacks: false } };
      const heard = await client.ask({ url: gateway.url, key: apiKey, model: name, more: only }, asks, stream);
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

    const [there] = to.requests.slice(asked[1]);
    const back = from.requests.slice(asked[0])[2];
    if (there === undefined || back === undefined) throw new Error("somebody was not asked");
    return { there, back };
  }
});

/** The seals that a provider gets: those on its own thoughts, and Claude's also from elsewhere. */
function sealsFor(dialect: Spoken, other: Spoken, client: Client): readonly Spoken[] {
  if (dialect === "openai-chat") {
    // What a client sends in a deployment's own dialect is passed on as it is.
    return client.dialect === dialect ? [other] : [];
  }
  return claudes.has(dialect) && claudes.has(other) ? [dialect, other] : [dialect];
}

const claudes: ReadonlySet<Spoken> = new Set(["anthropic-messages", "bedrock-converse"]);
