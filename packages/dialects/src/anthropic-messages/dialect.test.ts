import { clientError, errorCodes } from "@tuloy/contract";
import type { ErrorCode } from "@tuloy/contract";
import { messageEvents } from "@tuloy/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { SentAnswer } from "../completion/sent.ts";
import { continuationOf } from "../providers/continuation.ts";
import { isReadRequest, type ReadRequest } from "../request.ts";
import { anthropicTokenCount } from "./count.ts";
import { anthropicMessages } from "./dialect.ts";
import { MessageHead } from "./head.ts";
import { writeClaudeList } from "./models.ts";

const base = { model: "m", max_tokens: 100, messages: [{ role: "user", content: "Hi" }] };
const bytes = (fields: object): Buffer => Buffer.from(JSON.stringify(fields));
const parsed = (body: Buffer): Record<string, unknown> => JSON.parse(body.toString()) as Record<string, unknown>;

function read(fields: object): ReadRequest {
  const request = anthropicMessages.read(bytes({ ...base, ...fields }));
  if (!isReadRequest(request)) throw new Error(request.message);
  return request;
}

const preset = { streamUsage: true };

describe("a request's facts", () => {
  it("say what is used and how long it is, whatever media weigh", () => {
    const image = { type: "image", source: { type: "base64", media_type: "image/png", data: "A".repeat(400_000) } };
    const pdf = {
      type: "document",
      source: { type: "base64", media_type: "application/pdf", data: "A".repeat(100_000) },
    };
    const inResult = { type: "tool_result", tool_use_id: "t", content: [image] };
    const { facts } = read({
      stream: true,
      messages: [{ role: "user", content: [image, pdf, inResult] }],
      tools: [{ name: "f", input_schema: {} }],
      output_config: { format: { type: "json_schema", schema: {} } },
      stop_sequences: ["a", "b"],
    });
    expect(facts).toMatchObject({
      stream: true,
      wantsUsage: true,
      choices: 1,
      capabilities: ["tools", "images", "files", "json_schema"],
      maxOutputTokens: 100,
      stops: 2,
      parameters: ["max_tokens", "tools", "stop"],
    });
    expect(facts.inputTokens).toBeGreaterThan(6000);
    expect(facts.inputTokens).toBeLessThan(6500);
  });

  it.each([
    [{}, false],
    [{ thinking: { type: "enabled", budget_tokens: 2000 } }, false],
    [{ thinking: { type: "enabled", budget_tokens: 32_000 } }, true],
    [{ thinking: { type: "adaptive" } }, true],
    [{ thinking: { type: "adaptive" }, output_config: { effort: "low" } }, false],
    [{ thinking: { type: "disabled" } }, false],
    [{ output_config: { effort: "max" } }, true],
  ])("of %j: high effort %s", (fields, expected) => {
    expect(read(fields).facts.highEffort).toBe(expected);
  });

  it.each([
    ["user_ab_account_cd_session_0f8fad5b-d9cb-469f-a165-70867728950e", "0f8fad5b-d9cb-469f-a165-70867728950e"],
    ['{"device_id":"d","account_uuid":"a","session_id":"0f8fad5b-d9cb-469f"}', "0f8fad5b-d9cb-469f"],
    ["user-12345", null],
    ["x".repeat(100_000), null],
  ])("tell the session that Claude Code names in its user's id", (user, session) => {
    expect(read({ metadata: { user_id: user } }).facts.session).toBe(session);
  });

  it("hold what the body says of routing, which no provider gets", () => {
    const request = read({ provider: { only: ["a"] }, models: ["n"] });
    expect(request.facts.overrides).toMatchObject({ only: ["a"], models: ["n"] });
    expect(parsed(request.encode("id", preset))).toEqual({ ...base, model: "id" });
  });
});

describe("what is no request", () => {
  it.each([
    [{ model: "m" }, "messages"],
    [{ ...base, messages: "Hi" }, "messages"],
    [{ ...base, stream: "yes" }, "stream"],
    [{ messages: [] }, "model"],
  ])("%j is refused, with the field's name", (fields, param) => {
    expect(anthropicMessages.read(bytes(fields))).toMatchObject({ code: "invalid_request", param });
  });
});

describe("a body on its way to a provider of the dialect", () => {
  it("changes in its model alone, to the byte", () => {
    const own =
      '{ "messages":[ {"role":"user","content":"\\u0041"} ],\n "model" : "m", "max_tokens":1e2,"odd":{"__proto__":1}}';
    const request = anthropicMessages.read(Buffer.from(own));
    if (!isReadRequest(request)) throw new Error(request.message);
    expect(request.encode("claude", preset).toString()).toBe(own.replace('"m"', '"claude"'));
    expect(request.encode("m", preset).toString()).toBe(own);
  });

  it("leaves out what is not taken there and may be missed, and says so", () => {
    const facts = {
      takes: null,
      refuses: new Set(["top_k", "stop"]),
      modelRefuses: new Set(["temperature"]),
      maxStops: null,
    };
    const request = read({ temperature: 1, top_k: 5, stop_sequences: ["END"] });
    const named = { facts, substitute: false };
    expect(Object.keys(parsed(request.encode("id", preset, named)))).toEqual([
      "model",
      "max_tokens",
      "messages",
      "temperature",
      "stop_sequences",
    ]);
    expect(request.notes(named)).toEqual(["top_k was left out: it is not taken there"]);
    // What stands in was not named by the client, so what its model refuses is left out too.
    expect(request.notes({ facts, substitute: true })).toHaveLength(2);
  });

  it("has none of the thoughts that Anthropic did not sign, and all else in its place", () => {
    const foreign = fc.constantFrom(
      { type: "thinking", thinking: "x", signature: "tuloy:" },
      { type: "thinking", thinking: "x", signature: "" },
      { type: "thinking", thinking: "x" },
      { type: "redacted_thinking", data: "tuloy:gemini::abc" },
    );
    const own = fc.constantFrom(
      { type: "thinking", thinking: "x", signature: "EqQB" },
      { type: "redacted_thinking", data: "EmwK" },
      { type: "text", text: "tuloy: ünï" },
    );
    const content = fc.array(fc.oneof(foreign, own), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(content, { minLength: 1, maxLength: 3 }), (contents) => {
        const messages = contents.map((blocks) => ({ role: "assistant", content: blocks }));
        const isOwn = (block: { signature?: string; data?: string; type: string }): boolean =>
          block.type === "text" || block.signature === "EqQB" || block.data === "EmwK";
        const kept = messages
          .map(({ role, content: blocks }) => ({ role, content: blocks.filter(isOwn) }))
          .filter(({ content: blocks }) => blocks.length > 0);
        const request = read({ messages, after: "ü", provider: { order: ["a"] } });
        expect(parsed(request.encode("id", preset))).toEqual({ ...base, model: "id", messages: kept, after: "ü" });
        // Whoever translates it needs them all.
        expect(parsed(request.encode("", preset)).messages).toEqual(messages);
      }),
    );
  });
});

describe("a request to count", () => {
  it("generates nothing, whatever it says of streams and limits", () => {
    const request = anthropicTokenCount.read(bytes({ ...base, stream: true }));
    expect(request).toMatchObject({ counts: true, facts: { stream: false, maxOutputTokens: 0 } });
  });

  it("is answered with a number, or failed", () => {
    const noMarkers = { markers: [] };
    expect(anthropicTokenCount.readAnswer(bytes({ input_tokens: 5 }), noMarkers)).toMatchObject({
      ok: true,
      empty: false,
    });
    expect(anthropicTokenCount.readAnswer(bytes({ tokens: 5 }), noMarkers)).toMatchObject({
      failure: { class: "garbled" },
    });
  });
});

describe("errors", () => {
  const types: Partial<Record<ErrorCode, string>> = {
    invalid_request: "invalid_request_error",
    invalid_api_key: "authentication_error",
    forbidden_origin: "permission_error",
    model_not_found: "not_found_error",
    idempotency_in_flight: "conflict_error",
    request_too_large: "request_too_large",
    rate_limit_exceeded: "rate_limit_error",
    internal_error: "api_error",
    upstream_failed: "api_error",
    no_healthy_deployment: "overloaded_error",
    deadline_exceeded: "timeout_error",
  };

  it.each(Object.entries(types) as [ErrorCode, string][])("%s is %s", (code, type) => {
    const body = parsed(anthropicMessages.writeError(clientError(code, "words", { param: "p" }), "trace"));
    expect(body).toEqual({
      type: "error",
      error: { type, message: "words", details: { error_code: code, param: "p", attempts: [] } },
      request_id: "trace",
    });
    expect(errorCodes[code].status).toBeGreaterThanOrEqual(400);
  });

  it("are an event of their name inside a stream", () => {
    const event = anthropicMessages.writeErrorEvent(clientError("stream_broken", "two\nlines"), "t").toString();
    expect(event).toMatch(/^event: error\ndata: \{.*\}\n\n$/);
  });
});

describe("what goes on", () => {
  const sentOf = (text: string, before: readonly string[] = []): SentAnswer => {
    const sent = new SentAnswer();
    sent.head = new MessageHead({}, false);
    for (const part of before) sent.add(0, part, "·");
    for (const piece of text.match(/\S+\s*/g) ?? [text]) sent.add(0, "text", piece);
    return sent;
  };
  const exact = continuationOf("assistant-prefix");

  it("exactly, is asked with the beginning, without white space at its end, and without thinking", () => {
    const body = bytes({ ...base, thinking: { type: "enabled", budget_tokens: 2000 } });
    expect(parsed(anthropicMessages.continueRequest(body, sentOf("Good day "), exact))).toEqual({
      ...base,
      max_tokens: 98,
      messages: [...base.messages, { role: "assistant", content: "Good day" }],
    });
  });

  it("softly, is asked as a user would", () => {
    const { messages } = parsed(anthropicMessages.continueRequest(bytes(base), sentOf("Good day "), null)) as {
      messages: { role: string }[];
    };
    expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
  });

  it.each([
    ["its text", {}, sentOf("Good"), { exact: true, soft: true, replay: true, anew: false }],
    ["its text after a thought out of sight", {}, sentOf("Good", ["a hidden thought"]), { exact: true, soft: true }],
    [
      "nothing exactly while it thinks",
      { thinking: { type: "adaptive" } },
      sentOf("Good"),
      { exact: false, soft: true },
    ],
    ["nothing but thoughts", {}, sentOf("", ["reasoning"]), { exact: false, soft: false, replay: false, anew: true }],
    [
      "JSON",
      { output_config: { format: { type: "json_schema", schema: {} } } },
      sentOf("{"),
      { exact: false, soft: false, replay: true },
    ],
    [
      "nothing where texts may be cited",
      { messages: [{ role: "user", content: [{ type: "document", citations: { enabled: true } }] }] },
      sentOf("Good"),
      { exact: false, soft: false, replay: false, anew: false },
    ],
    [
      "nothing where a tool of Anthropic's may have run",
      { tools: [{ type: "web_search_20250305", name: "web_search" }] },
      sentOf("Good"),
      { exact: false, soft: false, replay: false, anew: false },
    ],
    [
      "an answer that the request began",
      { messages: [{ role: "assistant", content: "I" }] },
      sentOf("am"),
      { exact: false, soft: false },
    ],
  ])("after %s", (_what, fields, sent, expected) => {
    expect(anthropicMessages.completable(bytes({ ...base, ...fields }), sent)).toMatchObject(expected);
  });
});

describe("the name of the model", () => {
  it("is changed in a message, and in the first event of a stream alone", () => {
    expect(parsed(anthropicMessages.relabel(bytes({ id: "x", model: "a", content: [] }), "b"))).toEqual({
      id: "x",
      model: "b",
      content: [],
    });
    const events = messageEvents([{ type: "text", text: 'says "model":"a" and "message_start"' }], { model: "a" });
    const relabel = anthropicMessages.relabelStream("b");
    const wire = Buffer.concat(events.flatMap((event) => relabel.push(Buffer.from(event)))).toString();
    expect(wire).toBe(events.join("").replace('"model":"a"', '"model":"b"'));
  });
});

describe("the list of models", () => {
  const models = ["a", "b", "c", "d"].map((id) => ({ id, inputTokens: null, outputTokens: null }));
  const page = (query: string): unknown => {
    const { data, ...rest } = parsed(writeClaudeList(models, query)) as { data: { id: string }[] };
    return [data.map(({ id }) => id).join(""), rest];
  };

  it("comes in pages, forward and backward", () => {
    expect(page("")).toEqual(["abcd", { has_more: false, first_id: "a", last_id: "d" }]);
    expect(page("limit=2")).toEqual(["ab", { has_more: true, first_id: "a", last_id: "b" }]);
    expect(page("limit=2&after_id=b")).toEqual(["cd", { has_more: false, first_id: "c", last_id: "d" }]);
    expect(page("limit=2&before_id=d")).toEqual(["bc", { has_more: true, first_id: "b", last_id: "c" }]);
    expect(page("limit=none&after_id=d")).toEqual(["", { has_more: false, first_id: null, last_id: null }]);
  });
});
