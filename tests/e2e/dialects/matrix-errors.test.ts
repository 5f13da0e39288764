import { startUpstream } from "@tuloy/testkit";
import type { Script, ScriptedUpstream } from "@tuloy/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { official, type Client } from "../../matrix/clients.ts";
import { breaks, crashes, limits, overloads, refuses, saysAll, tooLong } from "../../matrix/fails.ts";
import { raised } from "../../matrix/raised.ts";
import { spoken, type Spoken } from "../../matrix/said.ts";
import { providers, strict } from "../../matrix/scenes.ts";
import { vercels } from "../../matrix/vercel.ts";
import { openScene, setScene } from "../../scene.ts";

const clients = Object.entries({ ...official, ...vercels });
const words = "messages: there is no such thing";
const text = "and so on and on";

/** By which a program knows a prompt that is too long; Anthropic has no code for it. */
const knownBy: Readonly<Record<Client["dialect"], RegExp>> = {
  "openai-chat": /context_length_exceeded/,
  "openai-responses": /context_length_exceeded/,
  "anthropic-messages": /prompt is too long/,
};

describe.each(spoken)("from a deployment that speaks %s", (dialect) => {
  let opened: Awaited<ReturnType<typeof openScene<"a">>>;
  let mock: ScriptedUpstream;

  beforeAll(async () => {
    mock = await startUpstream([]);
    // What a test has fail is no reason to leave the provider alone in the next.
    const failover = "attempts: 1, on_partial: error, breaker: { failures: 1000, of: 1000 }";
    opened = await openScene({ a: [] }, { providers: { a: providers[dialect] }, failover });
  });
  afterAll(async () => {
    await opened.close();
    await mock.close();
  });

  /** What a client raises of it, and what it raises without a gateway. */
  async function both(client: Client, scripts: Readonly<Record<Spoken, Script>>, stream: boolean) {
    opened.scene.a.script(strict(dialect, scripts[dialect]));
    mock.script(scripts[client.dialect]);
    const through = await raised(client, opened.scene.gateway.url, stream);
    return { through, direct: await raised(client, mock.url, stream) };
  }

  describe.each(clients)("a client of %s raises the same as without a gateway", (_, client) => {
    test.each([false, true])("for a request that is at fault, asked for a stream: %s", async (stream) => {
      const { through, direct } = await both(
        client,
        inEach((one) => refuses[one](words)),
        stream,
      );
      expect(through.gist).toEqual(direct.gist);
      expect(through.gist).toMatchObject({ status: 400 });
      expect(through.told).toContain(words);
    });

    test.each([false, true])("for a prompt that is too long, asked for a stream: %s", async (stream) => {
      const { through, direct } = await both(client, tooLong, stream);
      expect(through.gist).toEqual(direct.gist);
      for (const { told } of [through, direct]) expect(told).toMatch(knownBy[client.dialect]);
    });

    test("for a limit, where nobody else is there", async () => {
      // A gateway of its own: a provider that is at its limit is left alone for a while.
      const { gateway } = await setScene(
        { a: limits[dialect] },
        { providers: { a: providers[dialect] }, failover: "attempts: 1" },
      );
      mock.script(limits[client.dialect]);
      const through = await raised(client, gateway.url, true);
      expect(through.gist).toEqual((await raised(client, mock.url, true)).gist);
      expect(through.gist).toMatchObject({ status: 429 });
    });

    test.each(Object.entries({ "that has too much to do": overloads, "that fails": crashes }))(
      "for a provider %s, where nobody else is there",
      async (_what, scripts) => {
        for (const stream of [false, true]) {
          const { through, direct } = await both(client, scripts, stream);
          // Each dialect has its own number for the first of the two.
          for (const { gist } of [through, direct]) expect(gist.status).toBeGreaterThanOrEqual(500);
          expect({ ...through.gist, status: 0 }).toEqual({ ...direct.gist, status: 0 });
        }
      },
    );

    test("for a stream that ends in its middle with an error, however the provider says it", async () => {
      const breaking =
        (one: Spoken, way: string | Buffer): Script =>
        (reply) =>
          saysAll(one, reply, text).chunk(way).end();
      mock.script(breaking(client.dialect, breaks[client.dialect][0]));
      const direct = await raised(client, mock.url, true);
      for (const way of breaks[dialect]) {
        opened.scene.a.script(breaking(dialect, way));
        const through = await raised(client, opened.scene.gateway.url, true);
        expect(through.gist.kind).toBe(direct.gist.kind);
        expect(through.told).toMatch(/is not whole: [^.]+: It broke over there\.(?!\.)/);
        expect(through.heard).toMatch(whatIsHeard(client));
      }
    });

    // An SDK that is alone with such a stream takes it for whole, or raises whatever its connection gives it.
    test.each(["a broken connection", "nothing to tell it from a whole one"])(
      "and for a stream that ends in its middle with %s",
      async (how) => {
        const ends: Script = (reply) =>
          how === "a broken connection" ? saysAll(dialect, reply, text).reset() : saysAll(dialect, reply, text).end();
        opened.scene.a.script(ends);
        const { gist, heard, told } = await raised(client, opened.scene.gateway.url, true);
        expect(gist.kind).toMatch(/^(?:APIError|InternalServerError|StreamProviderError)$/);
        expect(told).toContain("is not whole");
        expect(heard).toMatch(whatIsHeard(client));
      },
    );
  });
});

function inEach<What>(made: (dialect: Spoken) => What): Readonly<Record<Spoken, What>> {
  return Object.fromEntries(spoken.map((dialect) => [dialect, made(dialect)])) as Record<Spoken, What>;
}

/** All that was said before. Vercel's SDK lets go of what it has not given yet when an error comes. */
function whatIsHeard(client: Client): RegExp {
  return Object.values<Client>(vercels).includes(client) ? /^and so on( and( on)?)?$/ : /^and so on and on$/;
}
