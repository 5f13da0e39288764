import { describe, expect, it } from "vitest";

import { openaiChat } from "./openai-chat/dialect.ts";
import { openaiEmbeddings } from "./openai-embeddings/dialect.ts";
import { probeRequest, writeModel, writeModelList } from "./openai-models.ts";
import { isReadRequest } from "./request.ts";

describe("the list of models", () => {
  const model = { id: "gpt-4.1", ownedBy: "openai", created: 1_744_000_000 };
  const listed = { id: "gpt-4.1", object: "model", created: 1_744_000_000, owned_by: "openai" };

  it("has OpenAI's form", () => {
    expect(JSON.parse(writeModelList([model]).toString())).toEqual({ object: "list", data: [listed] });
    expect(JSON.parse(writeModelList([]).toString())).toEqual({ object: "list", data: [] });
    expect(JSON.parse(writeModel(model).toString())).toEqual(listed);
  });
});

describe("a probe", () => {
  it("is a real request, and a small one", () => {
    for (const dialect of [openaiChat, openaiEmbeddings]) {
      const read = dialect.read(probeRequest(dialect.operation, "m"));
      if (!isReadRequest(read)) throw new Error(read.message);
      expect(read.model).toBe("m");
      expect(read.facts.inputTokens).toBeLessThan(30);
      expect(read.facts.maxOutputTokens).toBeLessThanOrEqual(1);
    }
  });
});
