import { answersChat, chatAnswer, chatChunks, type Script } from "@tuloy/testkit";
import { describe, expect, test } from "vitest";

import { hearStream, post, setScene, type Scene } from "../scene.ts";
import { errorOf } from "../shared-scene.ts";

/** A model whose tokenizer is known, in a small window. */
const known = "gpt-4o-mini";

function scene(a: Script | readonly Script[]): Promise<Scene<"a">> {
  return setScene({ a }, { providers: { a: { also: [known] } }, more: `models: { ${known}: { context: 2000 } }` });
}

/** An answer whose trace waits for the tokenizer to be loaded; before an answer, nobody waits for that. */
const { usage: _usage, ...silent } = chatAnswer("Ready.");
const answersSilently: Script = (reply) => reply.json(200, silent);
async function loadTokenizer({ gateway }: Scene<"a">): Promise<void> {
  await post(gateway, asks("Ready?"));
  await gateway.lastTrace();
}

const asks = (content: string) => ({ model: known, messages: [{ role: "user" as const, content }] });

describe("a prompt near the window", () => {
  // By its bytes it would be 2,300 tokens; it has 900.
  const long = "internationalization ".repeat(440);
  // By its bytes it would be 1,500 tokens; it has more than 2,000.
  const dense = Array.from({ length: 2000 }, (_, index) => (index * 7919).toString(36).slice(-3)).join("");

  test("is counted with the model's own tokenizer: one that fits is served, though its bytes look too many", async () => {
    const set = await scene([answersSilently, answersChat("It fits.")]);
    await loadTokenizer(set);
    const { a, gateway } = set;
    expect((await post(gateway, asks(long))).status).toBe(200);
    expect(a.requests).toHaveLength(2);
  });

  test("and one that does not is refused, though its bytes look few", async () => {
    const set = await scene([answersSilently, answersChat("never asked")]);
    await loadTokenizer(set);
    const { a, gateway } = set;
    const answer = await post(gateway, asks(dense));
    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toMatchObject({ code: "no_deployment_allowed" });
    expect(errorOf(answer).message).toContain("the window holds 2000");
    expect(a.requests).toHaveLength(1);
  });
});

describe("usage that no provider tells", () => {
  const says = "Something of forty characters, or so it is.";

  test("is counted for the trace: the input by the tokenizer, the output by the input's characters a token", async () => {
    const whole = { ...silent, choices: chatAnswer(says)["choices"] };
    const { gateway } = await scene((reply, request) => {
      const { stream } = JSON.parse(request.body.toString()) as { stream?: boolean };
      return stream === true
        ? reply
            .eventStream()
            .chunk(chatChunks([says]).join(""))
            .end()
        : reply.json(200, whole);
    });
    const question = asks("hello world ".repeat(20).trim());
    expect((await post(gateway, question)).json()).toEqual(whole);
    expect((await hearStream(gateway.client(), question)).text).toBe(says);
    await gateway.lastTrace(2);
    const traces = await gateway.traces();
    expect(traces.map(({ stream }) => stream)).toEqual([true, false]);
    for (const { usage, attempts } of traces) {
      // 40 words of a token each, a role, the frame and the answer's beginning.
      expect(usage).toMatchObject({ source: "estimate", input_tokens: 47 });
      // 243 characters in 41 tokens: some six a token, where four would say eleven.
      expect(usage?.output_tokens).toBe(8);
      expect(attempts[0]?.usage).toEqual(usage);
    }
  });
});
