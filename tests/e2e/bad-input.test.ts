import type { Collected } from "@tuloy/testkit";
import OpenAI, { APIError, AuthenticationError, NotFoundError } from "openai";
import { describe, expect, test } from "vitest";

import { apiKey, model } from "../harness.ts";
import { post, question } from "../scene.ts";
import { errorOf, shareScene } from "../shared-scene.ts";
import { answerOn, openWire, rawRequest } from "../wire.ts";

const scene = shareScene();

/** The trace of an answer, by its header. */
const traceOf = ({ headers }: Pick<Collected, "headers">) => scene.gateway.trace(String(headers["x-tuloy-trace-id"]));

async function thrownBy(work: PromiseLike<unknown>): Promise<APIError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof APIError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("a model that nobody serves", () => {
  test("is answered with the nearest ones, and no upstream is asked", async () => {
    const error = await thrownBy(scene.gateway.client().chat.completions.create({ ...question, model: "modle-x" }));
    expect(error).toBeInstanceOf(NotFoundError);
    expect(error).toMatchObject({ code: "model_not_found", param: "model" });
    expect(error.message).toContain('"modle-x"');
    expect(error.message).toContain("Nearest: model-x.");
    expect(scene.asked()).toEqual([]);
    const trace = await scene.gateway.trace(error.requestID ?? null);
    expect(trace).toMatchObject({
      outcome: "failed",
      status: 404,
      code: "model_not_found",
      requested_model: "modle-x",
    });
    expect(trace.attempts).toEqual([]);
  });

  test.each(["__proto__", "constructor", "toString", "@a/__proto__", "__proto__/x", "@/", "@", "/", "\u0000", "💥"])(
    "can be called %j without being taken for anything else",
    async (name) => {
      const answer = await post(scene.gateway, { model: name });
      expect(answer.status).toBe(404);
      expect(errorOf(answer).code).toBe("model_not_found");
      expect(scene.asked()).toEqual([]);
      expect((await traceOf(answer)).requested_model).toBe(name);
    },
  );

  test("may have a name of a megabyte: the answer and the trace quote its beginning", async () => {
    const answer = await post(scene.gateway, { model: "m".repeat(1024 * 1024) });
    expect(answer.status).toBe(404);
    expect(answer.body.length).toBeLessThan(1000);
    expect((await traceOf(answer)).requested_model).toBe("m".repeat(200));
  });

  test.each(["__proto__", "constructor", "nothing", "%zz", "%00", "a".repeat(5000)])(
    "is not found under /v1/models/%s either",
    async (name) => {
      const answer = await post(scene.gateway, "", { method: "GET", path: `/v1/models/${name}` });
      expect([400, 404]).toContain(answer.status);
      expect(["model_not_found", "invalid_request"]).toContain(errorOf(answer).code);
    },
  );
});

describe("a body that cannot be read", () => {
  test.each([
    ["is empty", "", "invalid_json", "The request body is empty. Send a JSON object."],
    ["breaks off", '{"model":', "invalid_json", "line 1, column 10"],
    ["has a slip on its second line", '{"model":"model-x",\n"messages": [}', "invalid_json", "line 2, column 14"],
    ["is a list", "[]", "invalid_request", "must be a JSON object"],
    ["is a form", "model=model-x", "invalid_json", "line 1, column 1"],
    ["has a model that is a number", '{"model":5,"messages":[]}', "invalid_request", "must be a string"],
    ["has messages that are text", '{"model":"model-x","messages":"Hi"}', "invalid_request", "must be an array"],
    [
      "has a stream that is text",
      '{"model":"model-x","messages":[],"stream":"yes"}',
      "invalid_request",
      "must be true or false",
    ],
    [
      "nests ten thousand levels deep",
      `{"model":"model-x","messages":${"[".repeat(10_000)}${"]".repeat(10_000)}}`,
      "invalid_request",
      "deeper than 128 levels",
    ],
    ["opens a million brackets", "[".repeat(1_000_000), "invalid_request", "deeper than 128 levels"],
  ])("because it %s is the sender's fault, and says where", async (_, body, code, words) => {
    const answer = await post(scene.gateway, body);
    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toMatchObject({ code, type: "invalid_request_error" });
    expect(errorOf(answer).message).toContain(words);
    // What the SDKs must not send again needs no header: they never repeat a 400.
    expect(scene.asked()).toEqual([]);
    expect(await traceOf(answer)).toMatchObject({ status: 400, code });
  });

  test.each([undefined, "text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"])(
    "because its content type is %s is refused with what to send instead",
    async (type) => {
      const wire = await openWire(scene.gateway.url);
      wire.send(rawRequest({ without: ["content-type"], lines: type === undefined ? [] : [`Content-Type: ${type}`] }));
      await wire.until("unsupported_media_type");
      const { status, error } = await answerOn(wire);
      expect(status).toBe(415);
      expect(error["message"]).toContain("content-type: application/json");
      expect(scene.asked()).toEqual([]);
    },
  );

  test("because it is compressed is refused", async () => {
    const answer = await post(scene.gateway, {}, { headers: { "content-encoding": "gzip" } });
    expect(answer.status).toBe(415);
    expect(errorOf(answer).message).toContain("Compressed");
  });

  test("names the model twice: what is served is what every JSON reader takes, and the upstream reads the same", async () => {
    const answer = await post(scene.gateway, `{"model":"nothing","messages":[],"model":"${model}"}`);
    expect(answer.status).toBe(200);
    const { body } = scene.sent();
    expect(body.toString()).not.toContain("nothing");
    expect(JSON.parse(body.toString())).toEqual({ model: `a-${model}`, messages: [] });
  });

  test("that has a field called __proto__ reaches the upstream with it, as data", async () => {
    const answer = await post(scene.gateway, `{"model":"${model}","messages":[],"__proto__":{"stream":true}}`);
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(scene.sent().body.toString()).toContain('"__proto__":{"stream":true}');
  });
});

describe("a body over 32 MB", () => {
  const tooMuch = 33 * 1024 * 1024;

  test("gets its 413 through the official SDK, which sends it once", async () => {
    const messages = [{ role: "user" as const, content: "x".repeat(tooMuch) }];
    const error = await thrownBy(scene.gateway.client({ maxRetries: 2 }).chat.completions.create({ model, messages }));
    expect(error).toMatchObject({ status: 413, code: "request_too_large" });
    await scene.gateway.trace(error.requestID ?? null);
    expect(scene.asked()).toEqual([]);
    const received = (await scene.gateway.traces()).filter(({ code }) => code === "request_too_large");
    expect(received).toHaveLength(1);
    expect(received[0]?.id).toBe(error.requestID);
  });

  test("is refused by its announced length, before it is sent", async () => {
    const wire = await openWire(scene.gateway.url);
    wire.send(rawRequest({ without: ["content-length"], lines: [`Content-Length: ${tooMuch}`], body: "{" }));
    await wire.until("request_too_large");
    expect((await answerOn(wire)).status).toBe(413);
  });

  test("is refused without an announced length, and the connection goes on afterwards", async () => {
    const wire = await openWire(scene.gateway.url);
    const chunk = Buffer.concat([Buffer.from("100000\r\n"), Buffer.alloc(0x100000, 0x20), Buffer.from("\r\n")]);
    wire.send(rawRequest({ without: ["content-length"], lines: ["Transfer-Encoding: chunked"], body: "" }));
    for (let sent = 0; sent < tooMuch; sent += 0x100000) wire.send(chunk);
    await wire.until("request_too_large");
    wire.send("0\r\n\r\n", rawRequest());
    expect(await wire.until("hello there")).toContain("HTTP/1.1 200 OK");
    expect(scene.asked()).toHaveLength(1);
  });

  test.each([
    ["an unknown key", { without: ["authorization", "content-length"] as const, status: 401 }],
    ["a known key", { without: ["content-length"] as const, status: 413 }],
  ])("that never ends is not read for ever: with %s", async (_, { without, status }) => {
    const wire = await openWire(scene.gateway.url);
    const chunk = Buffer.concat([Buffer.from("100000\r\n"), Buffer.alloc(0x100000, 0x20), Buffer.from("\r\n")]);
    wire.send(rawRequest({ without, lines: ["Transfer-Encoding: chunked"], body: "" }));
    let megabytes = 0;
    const pour = (): void => {
      while (!wire.isClosed() && megabytes < 1024) {
        megabytes++;
        if (!wire.socket.write(chunk)) return void wire.socket.once("drain", pour);
      }
    };
    pour();
    await wire.closed();
    expect(wire.heard()).toContain(`HTTP/1.1 ${status} `);
    expect(megabytes).toBeLessThan(200);
  });
});

describe("a key", () => {
  test.each([
    ["that is unknown", { Authorization: "Bearer wrong-key-of-sixteen-characters" }],
    ["that is the beginning of a real one", { Authorization: `Bearer ${apiKey.slice(0, -1)}` }],
    ["that is a real one and more", { Authorization: `Bearer ${apiKey}x` }],
    ["that is a provider's", { Authorization: "Bearer sk-a-secret-key" }],
    ["that is empty", { Authorization: "Bearer " }],
    ["in another scheme", { Authorization: `Basic ${Buffer.from(`:${apiKey}`).toString("base64")}` }],
  ])("%s opens nothing", async (_, headers) => {
    for (const path of ["/v1/chat/completions", "/v1/models", "/v1/models/model-x"]) {
      const method = path.includes("models") ? "GET" : "POST";
      const body = method === "GET" ? "" : {};
      const answer = await post(scene.gateway, body, {
        path,
        method,
        headers: { authorization: headers.Authorization },
      });
      expect({ path, status: answer.status }).toEqual({ path, status: 401 });
      expect(errorOf(answer)).toMatchObject({ code: "invalid_api_key", type: "authentication_error" });
    }
    expect(scene.asked()).toEqual([]);
  });

  test("that was not sent is asked for in words, and the SDK raises what it raises for OpenAI", async () => {
    const client = new OpenAI({ baseURL: `${scene.gateway.url}/v1`, apiKey: "none", maxRetries: 2 });
    const error = await thrownBy(client.chat.completions.create(question));
    expect(error).toBeInstanceOf(AuthenticationError);
    const wire = await openWire(scene.gateway.url);
    wire.send(rawRequest({ without: ["authorization"] }));
    await wire.until("invalid_api_key");
    expect((await answerOn(wire)).error["message"]).toContain("Authorization: Bearer <key>");
  });

  test("may come as x-api-key", async () => {
    const wire = await openWire(scene.gateway.url);
    wire.send(rawRequest({ without: ["authorization"], lines: [`x-api-key: ${apiKey}`] }));
    expect(await wire.until("hello there")).toContain("HTTP/1.1 200 OK");
  });
});

describe("an address", () => {
  test.each([
    ["GET", "/v1/chat/completions", 405, "method_not_allowed"],
    ["DELETE", "/v1/embeddings", 405, "method_not_allowed"],
    ["OPTIONS", "/v1/chat/completions", 405, "method_not_allowed"],
    ["POST", "/v1/models", 405, "method_not_allowed"],
    ["DELETE", "/api/v1/models", 405, "method_not_allowed"],
    ["POST", "/v1/chat/completion", 404, "not_found"],
    ["POST", "/chat/completions", 404, "not_found"],
    ["POST", "//v1/chat/completions", 404, "not_found"],
    ["GET", "/v1/../v1/nothing", 404, "not_found"],
    ["GET", "/", 404, "not_found"],
    ["GET", "/%zz", 400, "invalid_request"],
    ["GET", `/${"a".repeat(9000)}`, 404, "not_found"],
    ["OPTIONS", "*", 404, "not_found"],
  ])("%s %s gets its error in OpenAI's form", async (method, path, status, code) => {
    const wire = await openWire(scene.gateway.url);
    wire.send(rawRequest({ method, path }));
    await wire.until(code);
    const answer = await answerOn(wire);
    expect(answer.status).toBe(status);
    expect(answer.error).toMatchObject({ code, type: "invalid_request_error" });
    expect(scene.asked()).toEqual([]);
  });

  test("is the same under /api/v1 and with a slash at its end", async () => {
    for (const path of ["/api/v1/chat/completions", "/v1/chat/completions/"]) {
      expect({ path, status: (await post(scene.gateway, {}, { path })).status }).toEqual({ path, status: 200 });
    }
  });
});
