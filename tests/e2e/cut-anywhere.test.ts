import { answersChat, chatChunk, expectClean, readChatStream, runLoad, sse } from "@tuloy/testkit";
import type { Collected, ReceivedRequest, Script } from "@tuloy/testkit";
import { describe, expect, test } from "vitest";

import { bodyOf, continues, prefixOf, says } from "../breaking-stream.ts";
import { hearStream, post, setScene } from "../scene.ts";

const neverOpen = "on_partial: error, breaker: { failures: 1000, of: 100000 }";

/** A short stream, event by event, with characters of two, three and four bytes. */
const text = "é日🎉";
const say = (delta: Record<string, unknown>, finish: string | null = null): string =>
  `data: ${JSON.stringify({ id: "a", model: "m", choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const events = [
  say({ role: "assistant", content: "" }),
  ...Array.from(text, (character) => say({ content: character })),
  say({}, "stop"),
  "data: [DONE]\n\n",
];

/** The whole answer as it goes over the wire, and where in it the first content and the finish reason are complete. */
interface Wire {
  readonly bytes: Buffer;
  readonly commits: number;
  readonly finishes: number;
}

function wireOf(framing: "chunked" | "fin"): Wire {
  const head = `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n${framing === "fin" ? "connection: close" : "transfer-encoding: chunked"}\r\n\r\n`;
  let bytes = Buffer.from(head);
  const ends: number[] = [];
  for (const event of events) {
    const data = Buffer.from(event);
    const size = framing === "fin" ? "" : `${data.length.toString(16)}\r\n`;
    bytes = Buffer.concat([bytes, Buffer.from(size), data]);
    ends.push(bytes.length);
    if (framing === "chunked") bytes = Buffer.concat([bytes, Buffer.from("\r\n")]);
  }
  if (framing === "chunked") bytes = Buffer.concat([bytes, Buffer.from("0\r\n\r\n")]);
  return { bytes, commits: ends[1] ?? 0, finishes: ends.at(-2) ?? 0 };
}

/** Whether a client got a whole answer, or was told that it is not; else what is wrong with what it got. */
function verdict(answer: Collected): string {
  const from = String(answer.headers["x-tuloy-provider"]);
  const problems = expectClean(answer, from === "a" ? text : "all from b");
  if (problems.length === 0) return `whole from ${from}`;
  const stream = readChatStream(answer.body);
  const last: unknown = stream.events.at(-1);
  const endsInError = typeof last === "object" && last !== null && "error" in last;
  const reported =
    endsInError && answer.ended === "clean" && stream.terminators === 0 && stream.finishReasons.length === 0;
  return reported && text.startsWith(stream.text) && stream.text !== "" ? "reported" : problems.join("; ");
}

describe("a stream cut at any byte is whole from B, or reported, or whole: never half, never both", () => {
  const cuts: ["chunked" | "fin", "fin" | "reset"][] = [
    ["chunked", "fin"],
    ["chunked", "reset"],
    ["fin", "fin"],
    ["fin", "reset"],
  ];

  test.each(cuts)("a %s body, ended by a %s", async (framing, how) => {
    const wire = wireOf(framing);
    // Where to cut comes along as the seed: the answers are asked for all at once.
    const script: Script = (reply, request) => reply.cutAt(cutOf(request), how).raw(wire.bytes);
    const { a, b, gateway } = await setScene(
      { a: script, b: answersChat("all from b", { id: "b" }) },
      { failover: neverOpen },
    );
    const outcomes = await runLoad({
      jobs: wire.bytes.length + 1,
      concurrency: 16,
      job: async (cut) => verdict(await post(gateway, { stream: true, seed: cut })),
    });

    const wrong: string[] = [];
    for (const { index: cut, result } of outcomes) {
      const expected = cut < wire.commits ? "whole from b" : cut < wire.finishes ? "reported" : "whole from a";
      const got = result.ok ? result.value : String(result.error);
      if (got !== expected) wrong.push(`cut at ${cut} of ${wire.bytes.length}: ${got}, not ${expected}`);
    }
    expect(wrong).toEqual([]);
    expect(outcomes).toHaveLength(wire.bytes.length + 1);
    // B was asked for every stream that was cut before its first content, and for no other.
    expect(b.requests.map(cutOf).sort((x, y) => x - y)).toEqual(Array.from({ length: wire.commits }, (_, cut) => cut));
    expect(a.requests).toHaveLength(wire.bytes.length + 1);
  });

  test.each(cuts)("a %s body, ended by a %s, is always whole when B can go on", async (framing, how) => {
    const wire = wireOf(framing);
    const { b, gateway } = await setScene(
      {
        a: (reply, request) => reply.cutAt(cutOf(request), how).raw(wire.bytes),
        b: (reply, request) => {
          const prefix = prefixOf(bodyOf(request)) ?? "";
          return says(reply, text.slice(prefix.length));
        },
      },
      {
        failover: "on_partial: continue, breaker: { failures: 1000, of: 100000 }",
        providers: { b: continues("assistant-prefix") },
      },
    );
    const outcomes = await runLoad({
      jobs: wire.bytes.length + 1,
      concurrency: 16,
      job: async (cut) => expectClean(await post(gateway, { stream: true, seed: cut }), text),
    });
    const wrong = outcomes.flatMap(({ index: cut, result }) => {
      const problems = result.ok ? result.value : [String(result.error)];
      return problems.map((problem) => `cut at ${cut} of ${wire.bytes.length}: ${problem}`);
    });
    expect(wrong).toEqual([]);
    // B was asked for every stream that was cut before its end, and for no other.
    expect(b.requests).toHaveLength(wire.finishes);
  });

  function cutOf(request: ReceivedRequest): number {
    return (request.json() as { readonly seed: number }).seed;
  }
});

describe("a stream says the same, wherever it is cut into pieces, when it has", () => {
  const whole = [
    sse(chatChunk({ delta: { role: "assistant", content: "" } }, { id: "a" })),
    ": PROCESSING\n\n",
    ...["ñandú ", "日本語 ", "🎉 end"].map((content) => sse(chatChunk({ delta: { content } }, { id: "a" }))),
    sse(chatChunk({ delta: {}, finish_reason: "stop" }, { id: "a" })),
    "data: [DONE]\n\n",
  ].join("");
  const forms: [string, string][] = [
    ["line feeds", whole],
    ["CR LF", whole.replaceAll("\n", "\r\n")],
    ["bare CRs", whole.replaceAll("\n", "\r")],
    ["a byte order mark", `\u{FEFF}${whole}`],
    ["data over several lines", whole.replaceAll('"choices":', '\ndata: "choices":\ndata: ')],
    ["event names, ids and no space after the colon", whole.replaceAll("data: ", "event:message\nid:7\ndata:")],
  ];

  test.each(forms)("%s", async (_, stream) => {
    const bytes = Buffer.from(stream);
    let size = 1;
    const { b, gateway } = await setScene(
      { a: (reply) => reply.eventStream().trickle(bytes, size).end(), b: answersChat("never asked") },
      { failover: neverOpen },
    );
    const answers = new Set<string>();
    for (size of [1, 2, 3, 5, 17, 64, bytes.length]) {
      const raw = await post(gateway, { stream: true });
      expect(expectClean(raw, "ñandú 日本語 🎉 end")).toEqual([]);
      expect(readChatStream(raw.body).comments).toEqual(["PROCESSING"]);
      answers.add(raw.text());
    }
    // To the byte, whatever the pieces were.
    expect(answers.size).toBe(1);
    size = 1;
    const heard = await hearStream(gateway.client());
    expect(heard).toMatchObject({ text: "ñandú 日本語 🎉 end", error: null });
    expect(b.requests).toHaveLength(0);
  });
});
