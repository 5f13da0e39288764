import { answersChat, chatAnswer, chatChunks, type Script } from "@tuloy/testkit";
import { describe, expect, test } from "vitest";

import { model } from "../harness.ts";
import { hearStream, post, question, setScene, type Scene } from "../scene.ts";

const shape = { model: "up/stream-2025", usage: [5, 7] } as const;
const asked = `@a/${model}`;

async function scene(more: string, a: Script = answersChat("Hello there.", shape)): Promise<Scene<"a">> {
  return setScene({ a }, { routes: [`name: reporting, match: { models: ["${model}"] }${more}`] });
}

describe("the model in an answer", () => {
  test("is what the provider calls it, byte by byte, unless the route says otherwise", async () => {
    const { gateway } = await scene("");
    expect((await post(gateway)).body.toString()).toBe(JSON.stringify(chatAnswer("Hello there.", shape)));
    const heard = await hearStream(gateway.client());
    expect(new Set(heard.chunks.map((chunk) => chunk.model))).toEqual(new Set([shape.model]));
  });

  test("is what the client asked for where the route reports that, as JSON and in every chunk of a stream", async () => {
    const { gateway } = await scene(", report_model: requested");
    const answer = await post(gateway, { model: asked });
    expect(answer.json()).toEqual({ ...chatAnswer("Hello there.", shape), model: asked });
    expect(answer.headers["x-tuloy-model"]).toBe(model);
    const heard = await hearStream(gateway.client(), { model: asked });
    expect([heard.text, heard.error]).toEqual(["Hello there.", null]);
    expect(heard.chunks.map((chunk) => chunk.model)).toEqual(heard.chunks.map(() => asked));
    const raw = await post(gateway, { model: asked, stream: true });
    expect(raw.body.toString().endsWith("data: [DONE]\n\n")).toBe(true);
  });

  test("is reported so in an answer that is empty too", async () => {
    const empty: Script = (reply, request) => {
      const { stream } = JSON.parse(request.body.toString()) as { stream?: boolean };
      const none = { ...shape, usage: [5, 0] } as const;
      return stream === true
        ? reply.eventStream().chunk(chatChunks([], none).join("")).end()
        : reply.json(200, chatAnswer("", none));
    };
    const { gateway } = await scene(", report_model: requested", empty);
    expect((await post(gateway)).json()).toMatchObject({ model, choices: [{ message: { content: "" } }] });
    const heard = await hearStream(gateway.client());
    expect([heard.text, heard.error, heard.chunks[0]?.model]).toEqual(["", null, model]);
  });

  test("is reported so for embeddings", async () => {
    const vectors = {
      object: "list",
      model: "up-vectors",
      data: [{ object: "embedding", index: 0, embedding: [0.5] }],
    };
    const { gateway } = await setScene(
      { a: (reply) => reply.json(200, vectors) },
      {
        routes: ["name: reporting, match: { operation: embeddings }, report_model: requested"],
        providers: { a: { model: "operation: embeddings, dimensions: 1" } },
      },
    );
    const body = JSON.stringify({ model, input: question.model });
    expect((await post(gateway, body, { path: "/v1/embeddings" })).json()).toEqual({ ...vectors, model });
  });
});
