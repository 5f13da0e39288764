import { startUpstream } from "@tuloy/testkit";
import type { ReceivedRequest, ScriptedUpstream } from "@tuloy/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { apiKey } from "../../harness.ts";
import { official, type Asked, type Client, type Heard } from "../../matrix/clients.ts";
import { begins, breaks, overloads } from "../../matrix/fails.ts";
import { claudes, says, streamed, type Said } from "../../matrix/said.ts";
import { headersOf, name, openPairs, pairs, type Pair } from "../../matrix/scenes.ts";
import { vercels } from "../../matrix/vercel.ts";

const text = "I look for both of them at once, 日本 🎉, which takes a moment.";
const calls = [
  { id: "call_1", name: "weather", input: { at: "Manila, the old town within the walls" } },
  { id: "call_2", name: "time", input: { at: "Cebu, 宿霧, across the water" } },
];
const thought = "They ask for the weather in two towns, so I have to see.";
const asks: Asked = { turns: [{ user: "Weather?" }] };
const asksAll: Asked = { ...asks, tools: ["weather", "time"], thinks: true };

/** Only OpenAI keeps words of refusal apart from text. */
const openai = pairs.filter((pair) => pair.every((dialect) => dialect.startsWith("openai-")));

describe("a stream that breaks in one dialect is completed in another", () => {
  let opened: Awaited<ReturnType<typeof openPairs>>;
  let mock: ScriptedUpstream;

  beforeAll(async () => {
    opened = await openPairs();
    mock = await startUpstream([]);
  });
  afterAll(async () => {
    await opened.close();
    await mock.close();
  });

  /** What a client hears of it, without a gateway, and through one where it breaks after the event with `words`. */
  async function both(client: Client, [first, second]: Pair, said: Said, asked: Asked, words: string) {
    const { [first]: breaking, [second]: completing, gateway } = opened.scene;
    const events = 1 + streamed[first](said).findIndex((event) => event.includes(words));
    breaking.script((reply, request) =>
      prefixOf(request) === ""
        ? begins(first, reply, said, events).chunk(breaks[first][0]).end()
        : overloads[first](reply, request),
    );
    completing.script((reply, request) => {
      const prefix = prefixOf(request);
      return says[second](prefix === "" ? said : { text: text.slice(prefix.length) })(reply, request);
    });
    mock.script(says[client.dialect](said));
    const place = { url: gateway.url, key: apiKey, model: name, headers: headersOf([first, second]) };
    const asksBefore = completing.requests.length;
    const through = await client.ask(place, asked, true);
    const direct = await client.ask({ url: mock.url, key: apiKey, model: name }, asked, true);
    return { through: gist(through), direct: gist(direct), completing: completing.requests.slice(asksBefore) };
  }

  describe.each(Object.entries<Client>({ ...official, ...vercels }))("for a client of %s", (sdk, client) => {
    // What Vercel's SDK hears is written in dialects that the others hear as well.
    const some = Object.hasOwn(official, sdk) ? pairs : pairs.filter(([first]) => first === "anthropic-messages");
    test.each(some)("within a text, from %s to %s, exactly where that goes on", async (...pair) => {
      const { through, direct, completing } = await both(client, pair, { text }, asks, "once");
      expect(through).toEqual(direct);
      expect(completing.map(prefixOf)).toEqual([claudes.has(pair[1]) ? "I look for both of them at once," : ""]);
    });
  });

  describe.each(Object.entries<Client>(official))("for a client of %s", (_, client) => {
    test.each(pairs)("behind a thought and within calls, from %s to %s, by the same answer", async (...pair) => {
      const said = { thought, text, calls };
      for (const words of ["once", "moment", "call_2"]) {
        const { through, direct } = await both(client, pair, said, asksAll, words);
        expect(through).toEqual(direct);
      }
    });

    test.each(openai)("within words of refusal and behind them, from %s to %s", async (...pair) => {
      const said = { refusal: "I can't help with that, since it is not mine to tell." };
      for (const words of ["since", "tell"]) {
        const { through, direct } = await both(client, pair, said, asks, words);
        expect(through).toEqual(direct);
      }
    });

    test.each(pairs)("within a thought, from %s to %s, which thinks anew", async (...pair) => {
      const { through, direct } = await both(client, pair, { thought, text, calls }, asksAll, "towns");
      const begun = "They ask for the weather in two towns,";
      expect(through).toEqual({ ...direct, thought: begun + thought });
    });
  });
});

function gist({ own: _own, model: _model, usage: _usage, ...heard }: Heard): Omit<Heard, "own" | "model" | "usage"> {
  return heard;
}

/** The beginning of the answer that a Claude is to go on with; empty: there is none. */
function prefixOf(request: ReceivedRequest): string {
  const { messages = [] } = request.json() as { messages?: { role: string; content: string | { text: string }[] }[] };
  const last = messages.at(-1);
  if (last?.role !== "assistant") return "";
  return typeof last.content === "string" ? last.content : (last.content[0]?.text ?? "");
}
