import { deployment, FakeClock } from "@tuloy/testkit";
import { describe, expect, it } from "vitest";

import { connectionError } from "./connection-error.ts";
import { Exchange, type ExchangeEvents, type Lost } from "./exchange.ts";
import type {
  Authorization,
  Authorize,
  CallControl,
  CallHandler,
  Outlet,
  UnauthorizedCall,
  UpstreamRequest,
} from "./outlet.ts";

/** What reached the outside. */
class Sent implements Outlet {
  readonly requests: UpstreamRequest[] = [];
  readonly fresh: UpstreamRequest[] = [];
  dispatch(request: UpstreamRequest, _handler: CallHandler): Error | null {
    this.requests.push(request);
    return null;
  }
  dispatchFresh(request: UpstreamRequest): void {
    this.fresh.push(request);
  }
}

/** What was told of a call, in order. */
class Told implements ExchangeEvents {
  readonly words: string[] = [];
  lost: Lost | null = null;
  onConnected(): void {
    this.words.push("connected");
  }
  onHead(): void {
    this.words.push("head");
  }
  onChunk(): void {
    this.words.push("chunk");
  }
  onEnd(): void {
    this.words.push("end");
  }
  onLost(lost: Lost): void {
    this.words.push("lost");
    this.lost = lost;
  }
  onConnecting(): void {
    this.words.push("connecting");
  }
  onFault(): void {
    this.words.push("fault");
  }
}

function requestWith(authorize?: Authorize): UpstreamRequest {
  return {
    deployment: deployment("a"),
    dialect: "openai-chat",
    stream: false,
    to: { origin: "https://provider.example", private: false },
    path: "/v1/chat",
    headers: ["content-type", "application/json"],
    body: Buffer.from("{}"),
    authorize,
  };
}

function started(authorize?: Authorize): { exchange: Exchange; sent: Sent; told: Told; clock: FakeClock } {
  const sent = new Sent();
  const told = new Told();
  const clock = new FakeClock();
  const exchange = new Exchange(sent, requestWith(authorize), told, clock);
  exchange.start();
  return { exchange, sent, told, clock };
}

describe("a call that needs no more than its headers", () => {
  it("is sent before start returns", () => {
    const { sent, told, exchange } = started();
    expect(sent.requests).toHaveLength(1);
    expect(exchange.authorizing).toBe(false);
    expect(told.words).toEqual([]);
  });
});

describe("a call over a connection that has carried others", () => {
  const control: CallControl = { abort() {}, pause() {}, resume() {} };

  it("is sent once more over one of its own after a reset", () => {
    const { sent, told, exchange } = started();
    exchange.onRequestStart(control, true);
    exchange.onResponseError(connectionError("ECONNRESET", "it broke"));
    expect(sent.fresh).toHaveLength(1);
    expect(told.words).toEqual(["connected", "connecting"]);
    exchange.onRequestStart(control, false);
    exchange.onResponseError(connectionError("ECONNRESET", "it broke"));
    expect(sent.fresh).toHaveLength(1);
    expect(told.lost).toMatchObject({ class: "reset", reason: expect.stringContaining("ECONNRESET: it broke") });
  });

  it("is sent over one of its own when it had not gone out, once", () => {
    const { sent, told, exchange } = started();
    exchange.onResponseError(connectionError("TULOY_UNSENT", "it broke"));
    expect(sent.fresh).toHaveLength(1);
    exchange.onResponseError(connectionError("TULOY_UNSENT", "it broke"));
    expect(sent.fresh).toHaveLength(1);
    expect(told.words).toEqual(["connecting", "lost"]);
  });

  it("is lost when what came was no answer, or when an answer had begun", () => {
    const one = started();
    one.exchange.onRequestStart(control, true);
    one.exchange.onResponseError(connectionError("TULOY_NOT_HTTP", "it is not HTTP"));
    const other = started();
    other.exchange.onRequestStart(control, true);
    other.exchange.onResponseStart(200, {});
    other.exchange.onResponseError(connectionError("ECONNRESET", "it broke"));
    expect([one.sent.fresh, other.sent.fresh]).toEqual([[], []]);
    expect([one.told.words, other.told.words]).toEqual([
      ["connected", "lost"],
      ["connected", "head", "lost"],
    ]);
  });
});

describe("a call that has to be authorized", () => {
  it("shows what is to be sent, waits, and is sent with the headers that it was given", async () => {
    const gate = Promise.withResolvers<Authorization>();
    const shown: UnauthorizedCall[] = [];
    const { sent, told, exchange, clock } = started((call) => {
      shown.push(call);
      return gate.promise;
    });
    expect(exchange.authorizing).toBe(true);
    expect(sent.requests).toEqual([]);
    expect(shown).toEqual([
      {
        method: "POST",
        url: new URL("https://provider.example/v1/chat"),
        headers: ["content-type", "application/json"],
        body: Buffer.from("{}"),
        wall: clock.wall(),
      },
    ]);

    gate.resolve({ headers: ["authorization", "Signed"] });
    await gate.promise;
    await Promise.resolve();
    expect(exchange.authorizing).toBe(false);
    expect(told.words).toEqual(["connecting"]);
    expect(sent.requests.map(({ headers }) => headers)).toEqual([
      ["content-type", "application/json", "authorization", "Signed"],
    ]);
  });

  it("sends nothing and tells nothing when it was cancelled meanwhile, whatever comes of it", async () => {
    const ends: ((gate: PromiseWithResolvers<Authorization>) => void)[] = [
      (gate) => gate.resolve({ headers: [] }),
      (gate) => gate.resolve({ denied: "rejected", reason: "no" }),
      (gate) => gate.reject(new Error("late")),
    ];
    for (const end of ends) {
      const gate = Promise.withResolvers<Authorization>();
      const { sent, told, exchange } = started(() => gate.promise);
      exchange.cancel();
      end(gate);
      await new Promise(setImmediate);
      expect(sent.requests).toEqual([]);
      expect(told.words).toEqual([]);
    }
  });

  it("is lost when it is denied, and nothing is sent", async () => {
    const { sent, told, exchange } = started(async () => ({ denied: "rejected", reason: "the key is revoked" }));
    await new Promise(setImmediate);
    expect(sent.requests).toEqual([]);
    expect(told.words).toEqual(["lost"]);
    expect(told.lost).toEqual({ class: "auth", auth: "rejected", reason: "the key is revoked" });
    expect(exchange.over).toBe(true);
  });

  it("does not take what failed on the way for a credential that is no good", async () => {
    const failing: Authorize[] = [
      async () => {
        throw new Error("metadata service unreachable");
      },
      () => {
        throw new Error("metadata service unreachable");
      },
    ];
    for (const authorize of failing) {
      const { sent, told } = started(authorize);
      await new Promise(setImmediate);
      expect(sent.requests).toEqual([]);
      expect(told.lost).toEqual({
        class: "auth",
        auth: "forbidden",
        reason: "the call could not be authorized: metadata service unreachable",
      });
    }
  });

  it("is a fault of ours, and the provider's none, when it cannot be sent", async () => {
    const told = new Told();
    const throwing: Outlet = {
      dispatch: () => {
        throw new Error("bug");
      },
      dispatchFresh: () => {},
    };
    new Exchange(
      throwing,
      requestWith(async () => ({ headers: [] })),
      told,
      new FakeClock(),
    ).start();
    await new Promise(setImmediate);
    expect(told.words).toEqual(["connecting", "fault"]);
  });
});
