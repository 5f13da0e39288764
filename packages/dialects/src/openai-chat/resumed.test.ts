import { describe, expect, it } from "vitest";

import { SentAnswer } from "../completion/sent.ts";
import type { CompletionMode } from "../completion/completion.ts";
import { continuationOf } from "../providers/continuation.ts";
import { noteChunk } from "./deltas.ts";
import { ResumedEvents } from "./resumed.ts";

type Delta = Record<string, unknown>;

const chunk = (id: string, delta: Delta, finish: string | null = null, index = 0): Delta => ({
  id,
  created: id === "a" ? 1 : 2,
  model: `model-${id}`,
  ...(id === "a" ? { system_fingerprint: "fp-a" } : {}),
  choices: [{ index, delta, finish_reason: finish }],
});

function sentOf(...chunks: readonly Delta[]): SentAnswer {
  const sent = new SentAnswer();
  for (const one of chunks) noteChunk(sent, one, one["choices"] as unknown[]);
  return sent;
}

/** What the client gets of the new stream's events, parsed; and why it was dropped, if it was. */
function resumed(
  mode: CompletionMode,
  sent: SentAnswer,
  ...chunks: readonly Delta[]
): { events: Delta[]; misfit: string | null } {
  const events = new ResumedEvents({ mode, sent, continuation: continuationOf("vllm") });
  const out: Delta[] = [];
  for (const one of chunks) {
    const bytes = events.event(one);
    if (bytes !== null) out.push(JSON.parse(bytes.toString().slice("data: ".length)) as Delta);
    if (events.misfit !== null) break;
  }
  return { events: out, misfit: events.misfit };
}

const deltas = ({ events }: { events: Delta[] }): unknown[] =>
  events.flatMap((event) => (event["choices"] as { delta: Delta }[]).map(({ delta }) => delta));

const call = (fields: Delta, index = 0): Delta => ({ tool_calls: [{ index, ...fields }] });

describe("the rest of a stream from another deployment", () => {
  const sent = (): SentAnswer =>
    sentOf(chunk("a", { role: "assistant", content: "" }), chunk("a", { content: "Good day to" }));

  it("has all that is common to the events of one answer from the first, and no role", () => {
    const { events } = resumed(
      "exact",
      sent(),
      chunk("b", { role: "assistant", content: " you" }),
      chunk("b", {}, "stop"),
    );
    expect(events).toEqual([
      {
        id: "a",
        created: 1,
        model: "model-a",
        system_fingerprint: "fp-a",
        choices: [{ index: 0, delta: { content: " you" }, finish_reason: null }],
      },
      {
        id: "a",
        created: 1,
        model: "model-a",
        system_fingerprint: "fp-a",
        choices: [{ index: 0, delta: {}, finish_reason: "stop" }],
      },
    ]);
  });

  it("leaves out what is thought about how to go on", () => {
    const rest = resumed(
      "exact",
      sent(),
      chunk("b", { reasoning_content: "They want…" }),
      chunk("b", { content: " you" }),
    );
    expect(deltas(rest)).toEqual([{ content: " you" }]);
  });

  it("is dropped when it refuses to go on", () => {
    expect(resumed("exact", sent(), chunk("b", { refusal: "I can't" })).misfit).toBe("it refuses to go on");
  });

  it("passes on a call that follows the text, after the text that was held back", () => {
    const made = call({ id: "call_b", type: "function", function: { name: "go", arguments: "{}" } });
    const rest = resumed(
      "exact",
      sent(),
      chunk("b", { content: "Goo" }),
      chunk("b", made),
      chunk("b", {}, "tool_calls"),
    );
    expect(deltas(rest)).toEqual([{ content: "Goo", ...made }, {}]);
  });

  it("is dropped when it begins as the answer began", () => {
    expect(resumed("exact", sent(), chunk("b", { content: "Good day to" })).misfit).toContain("started over");
  });

  it("is dropped when it repeats the last words", () => {
    expect(resumed("exact", sent(), chunk("b", { content: "day to you" })).misfit).toContain("repeated the last words");
  });

  it("has the white space only once that was withheld from the deployment", () => {
    const padded = sentOf(chunk("a", { content: "One,\n\n" }));
    expect(deltas(resumed("exact", padded, chunk("b", { content: "\n" }), chunk("b", { content: "\nTwo" })))).toEqual([
      { content: "Two" },
    ]);
  });
});

describe("a replay", () => {
  it("keeps the id of a call that was sent, and adds only what is new of its arguments", () => {
    const sent = sentOf(
      chunk("a", call({ id: "call_a", type: "function", function: { name: "pay", arguments: "" } })),
      chunk("a", call({ function: { arguments: '{"eur":1' } })),
    );
    const rest = resumed(
      "replay",
      sent,
      chunk("b", call({ id: "call_b", type: "function", function: { name: "pay", arguments: '{"e' } })),
      chunk("b", call({ function: { arguments: 'ur":10}' } })),
      chunk("b", call({ id: "call_c", type: "function", function: { name: "tell", arguments: "{}" } }, 1)),
    );
    expect(deltas(rest)).toEqual([
      call({ function: { arguments: "0}" } }),
      call({ id: "call_c", type: "function", function: { name: "tell", arguments: "{}" } }, 1),
    ]);
  });

  it.each<[string, Delta]>([
    ["calls another function", call({ id: "b", function: { name: "play", arguments: "" } })],
    ["speaks instead", { content: "I will pay." }],
  ])("that %s is dropped", (_, delta) => {
    const sent = sentOf(chunk("a", call({ id: "a", function: { name: "pay", arguments: "" } })));
    expect(resumed("replay", sent, chunk("b", delta))).toEqual({ events: [], misfit: expect.stringMatching(/^it /) });
  });

  it("goes on with each of several choices by itself", () => {
    const sent = sentOf(
      chunk("a", { content: "one" }),
      chunk("a", { content: "uno" }, null, 1),
      chunk("a", {}, "stop", 1),
    );
    const rest = resumed(
      "replay",
      sent,
      chunk("b", { content: "uno" }, null, 1),
      chunk("b", { content: "one, two" }),
      chunk("b", {}, "stop", 1),
      chunk("b", {}, "stop"),
    );
    expect(rest.events.map((event) => event["choices"])).toEqual([
      [{ index: 0, delta: { content: ", two" }, finish_reason: null }],
      [{ index: 0, delta: {}, finish_reason: "stop" }],
    ]);
  });

  it("with log probabilities is dropped where its pieces are cut otherwise: they would belong to other text", () => {
    const logged = (content: string): Delta => ({
      ...chunk("b", {}),
      choices: [{ index: 0, delta: { content }, logprobs: { content: [] }, finish_reason: null }],
    });
    const sent = (): SentAnswer => sentOf(chunk("a", { content: "Good" }), chunk("a", { content: " day" }));
    expect(deltas(resumed("replay", sent(), logged("Good"), logged(" day"), logged(" to")))).toEqual([
      { content: " to" },
    ]);
    expect(resumed("replay", sent(), logged("Good day to")).misfit).toContain("log probabilities");
  });
});

describe("reasoning_details of the rest", () => {
  const format = "anthropic-claude-v1";
  const piece = (text: string, index = 0): Delta => ({ type: "reasoning.text", text, index, format });
  const signature = (data: string, index = 0): Delta => ({ type: "reasoning.text", signature: data, index, format });
  const thought = (text: string): Delta => ({ reasoning: text, reasoning_details: [piece(text)] });
  const details = (...list: readonly Delta[]): Delta => ({ reasoning_details: list });

  it("say only what is new of a thought that is told again, its signature once", () => {
    const again = [thought("Look it"), thought(" up."), details(signature("b")), { content: "Hi" }].map((delta) =>
      chunk("b", delta),
    );
    const broken = sentOf(chunk("a", thought("Look")));
    expect(deltas(resumed("replay", broken, ...again))).toEqual([
      { reasoning: " it", reasoning_details: [piece(" it")] },
      thought(" up."),
      details(signature("b")),
      { content: "Hi" },
    ]);
    const signed = sentOf(chunk("a", thought("Look it up.")), chunk("a", details(signature("a"))));
    expect(deltas(resumed("replay", signed, ...again))).toEqual([{ content: "Hi" }]);
    expect(deltas(resumed("replay", sentOf(chunk("a", { content: "H" })), chunk("b", { content: "Hi" })))).toEqual([
      { content: "i" },
    ]);
  });

  it("are compared where a server sends them alone, or repeats in them all that was thought", () => {
    const alone = sentOf(chunk("a", details(piece("Lo"))));
    expect(deltas(resumed("replay", alone, chunk("b", details(piece("L"), piece("ook", 0)))))).toEqual([
      details(piece("ok")),
    ]);
    const repeats = (text: string, all: string): Delta =>
      chunk("b", { reasoning: text, reasoning_details: [piece(all)] });
    const sent = sentOf(chunk("a", thought("Look")));
    expect(
      deltas(resumed("replay", sent, repeats("Lo", "Lo"), repeats("ok", "Look"), repeats(" up", "Look up"))),
    ).toEqual([{ reasoning: " up", reasoning_details: [piece("Look up")] }]);
  });

  it("have rising indices where the answer begins anew", () => {
    const sent = sentOf(chunk("a", thought("Hm.")), chunk("a", details(signature("a"), piece("So", 1))));
    const rest = resumed("anew", sent, chunk("b", thought("Well.")), chunk("b", details(signature("b"))));
    expect(deltas(rest)).toEqual([
      { reasoning: "Well.", reasoning_details: [piece("Well.", 2)] },
      details(signature("b", 2)),
    ]);
  });

  it("are left out with a thought about how to go on", () => {
    const text = sentOf(chunk("a", { content: "Good day to" }));
    const again = [
      chunk("b", thought("They want…")),
      chunk("b", details(signature("b"))),
      chunk("b", { content: " you" }),
    ];
    expect(deltas(resumed("exact", text, ...again))).toEqual([{ content: " you" }]);
  });

  it("begin with the signature where the beginning of a thought has no entry, and with all that it signs", () => {
    const headless = sentOf(chunk("a", { content: "x" }), chunk("a", { reasoning_content: "Lo" }));
    const rest = [{ content: "x" }, thought("Look"), details(signature("b")), details(piece("More", 1))];
    expect(deltas(resumed("replay", headless, ...rest.map((delta) => chunk("b", delta))))).toEqual([
      { reasoning: "ok" },
      details({ ...signature("b"), text: "Look" }),
      details(piece("More", 1)),
    ]);
    const hidden = { type: "reasoning.encrypted", data: "x", index: 0, format };
    const unsigned = [{ content: "x" }, { reasoning: "Look" }, details(hidden)];
    const broken = sentOf(chunk("a", { content: "x" }), chunk("a", { reasoning_content: "Lo" }));
    expect(deltas(resumed("replay", broken, ...unsigned.map((delta) => chunk("b", delta))))).toEqual([
      { reasoning: "ok" },
      details(hidden),
    ]);
  });
});

describe("what was sent", () => {
  it("is given up past a million characters", () => {
    const sent = sentOf(...Array.from({ length: 5 }, () => chunk("a", { content: "x".repeat(300_000) })));
    expect(sent).toMatchObject({ unknown: expect.stringContaining("more was sent") });
    expect(sent.choices.size).toBe(0);
  });

  it.each<[string, Delta]>([
    ["spoken", { audio: { data: "AAAA" } }],
    ["in parts", { content: [{ type: "text", text: "x" }] }],
  ])("can't be compared when it is %s", (_, delta) => {
    expect(sentOf(chunk("a", delta)).unknown).toMatch(/^the answer is /);
  });

  it("has as many tokens as pieces, and more where a piece holds several", () => {
    expect(sentOf(...["The", " cat", " sat"].map((content) => chunk("a", { content }))).tokens).toBe(3);
    expect(sentOf(chunk("a", { content: "The cat sat on the mat, as cats do." })).tokens).toBe(9);
  });
});
