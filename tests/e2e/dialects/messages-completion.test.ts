import Anthropic from "@anthropic-ai/sdk";
import { answersMessage, messageEvents } from "@tuloy/testkit";
import type { MessageBlock, Script } from "@tuloy/testkit";
import { describe, expect, test } from "vitest";

import { answersDeltas, usage } from "../../chat-deltas.ts";
import type { TestProvider } from "../../harness.ts";
import { anthropicAt, asked, claude, hearEvents, hearStreamed, sentTo } from "../../messages-scene.ts";
import { post, setScene } from "../../scene.ts";

describe("a stream that breaks in its middle is completed", () => {
  const whole = "Go on then, as you were, until the very end of it.";
  const blocks = (text: string): MessageBlock[] => [{ type: "text", text }];
  const head = messageEvents(blocks("Go on then,"), {
    id: "msg_a",
    stopReason: null,
    usage: { input: 9, output: 5 },
  }).slice(0, -1);
  const breaks: Script = (reply) => head.reduce((said, event) => said.chunk(event), reply.eventStream()).reset();
  const serving = (name: string): Readonly<Record<"a" | "b", Omit<TestProvider, "url">>> => {
    const provider = { ...claude, model: null, models: [`${name}: { price: { input: 1, output: 2 } }`] };
    return { a: provider, b: provider };
  };

  test("exactly, by a Claude that goes on from its last words", async () => {
    const { b, gateway } = await setScene(
      { a: breaks, b: answersMessage(" as you were, until the very end of it.") },
      { providers: serving("claude-sonnet-4-5") },
    );
    const message = await hearStreamed(anthropicAt(gateway.url), { model: "claude-sonnet-4-5" });
    expect(message).toMatchObject({ id: "msg_a", content: [{ type: "text", text: whole }], stop_reason: "end_turn" });
    expect(sentTo(b.requests[0])).toMatchObject({
      messages: [...asked.messages, { role: "assistant", content: "Go on then," }],
    });
    expect((await gateway.lastTrace()).attempts).toMatchObject([
      { kind: "first" },
      { kind: "continuation", failure: null },
    ]);
  });

  test("by the same words again, where a newer Claude takes no beginning", async () => {
    const { b, gateway } = await setScene(
      { a: breaks, b: answersMessage(whole) },
      { providers: serving("claude-opus-5") },
    );
    const { text, error, events } = await hearEvents(anthropicAt(gateway.url), { model: "claude-opus-5" });
    expect([text, error]).toEqual([whole, null]);
    expect(events.map(({ type }) => type).filter((type) => type !== "content_block_delta")).toEqual([
      "message_start",
      "content_block_start",
      "content_block_stop",
      "message_delta",
      "message_stop",
    ]);
    expect(sentTo(b.requests[0]).messages).toEqual(asked.messages);
    expect((await gateway.lastTrace()).attempts).toMatchObject([{ kind: "first" }, { kind: "replay", failure: null }]);
  });

  test("softly, after a thought that was not shown", async () => {
    const thought: MessageBlock = { type: "thinking", thinking: "", signature: "EqQB" };
    const begun = messageEvents([thought, ...blocks("Go on then,")], { id: "msg_a", stopReason: null }).slice(0, -1);
    const { b, gateway } = await setScene(
      {
        a: (reply) => begun.reduce((said, event) => said.chunk(event), reply.eventStream()).reset(),
        b: answersMessage([
          { ...thought, signature: "other" },
          { type: "text", text: " as you were." },
        ]),
      },
      { providers: serving("claude-opus-5"), failover: "on_partial: continue-soft" },
    );
    b.script([
      answersMessage("Something else."),
      answersMessage([
        { ...thought, signature: "other" },
        { type: "text", text: " as you were." },
      ]),
    ]);
    const message = await hearStreamed(anthropicAt(gateway.url), { model: "claude-opus-5" });
    expect(message.content).toMatchObject([
      { type: "thinking", signature: "EqQB" },
      { type: "text", text: "Go on then, as you were." },
    ]);
  });

  test("by a provider of another dialect", async () => {
    const { gateway } = await setScene(
      { a: breaks, b: answersDeltas([{ content: " as you were." }], "stop", usage) },
      { providers: { a: claude, b: { facts: "continuation: assistant-prefix" } } },
    );
    const message = await hearStreamed(anthropicAt(gateway.url));
    expect(message).toMatchObject({
      id: "msg_a",
      content: [{ type: "text", text: "Go on then, as you were." }],
      stop_reason: "end_turn",
    });
  });

  test("and reported where nobody can, in the SDK's own way", async () => {
    const { gateway } = await setScene(
      { a: breaks, b: answersMessage("Quite another answer.") },
      { providers: serving("claude-opus-5") },
    );
    const raw = await post(gateway, { ...asked, model: "claude-opus-5", stream: true }, { path: "/v1/messages" });
    expect(raw.body.toString()).not.toContain("message_stop");
    const { error } = await hearEvents(anthropicAt(gateway.url), { model: "claude-opus-5" });
    expect(error).toBeInstanceOf(Anthropic.APIError);
  });
});
