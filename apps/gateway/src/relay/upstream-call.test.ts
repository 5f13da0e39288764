import type { Failure } from "@tuloy/contract";
import { presetOf, type ProviderPreset } from "@tuloy/dialects";
import { keyEffect } from "@tuloy/routing";
import { deployment, FakeClock } from "@tuloy/testkit";
import { describe, expect, it } from "vitest";

import type { Authorization, Authorize, Outlet, UpstreamRequest } from "../upstream/outlet.ts";
import { UpstreamCall, type CallContext } from "./upstream-call.ts";

class Plain extends UpstreamCall {
  failure: Failure | null = null;
  readonly written = 0;
  protected onGoodHead(): void {}
  protected onGoodChunk(): void {}
  protected onGoodEnd(): void {}
  protected onGoodLost(failure: Failure): void {
    this.fail(failure);
  }
  protected onFailed(failure: Failure): void {
    this.failure = failure;
  }
  protected limitReason(): string {
    return "too slow";
  }
}

class Nowhere implements Outlet {
  sent = 0;
  dispatch(): null {
    this.sent += 1;
    return null;
  }
  dispatchFresh(): void {}
}

function presetForTest(): ProviderPreset {
  const preset = presetOf("openai-compatible");
  if (preset === null) throw new Error("no preset");
  return preset;
}

function called(authorize: Authorize, secret = "hush-hush"): { call: Plain; clock: FakeClock; outlet: Nowhere } {
  const clock = new FakeClock();
  const outlet = new Nowhere();
  const context: CallContext = {
    outlet,
    clock,
    preset: presetForTest(),
    secret,
    foreign: false,
    lease: { announce: () => {} },
    limits: { connectMs: 5000, answerMs: 60_000 },
    mayCut: () => true,
    fault: (error) => {
      throw error;
    },
  };
  const request: UpstreamRequest = {
    deployment: deployment("a"),
    dialect: "openai-chat",
    stream: false,
    to: { origin: "https://provider.example", private: false },
    path: "/",
    headers: [],
    body: Buffer.alloc(0),
    authorize,
  };
  const call = new Plain(context, request);
  call.start();
  return { call, clock, outlet };
}

describe("a call that could not be authorized", () => {
  it("cools the key for this model when nothing says that the credential is no good", async () => {
    const { call, clock } = called(async () => {
      throw new Error("the metadata service said hush-hush");
    });
    await clock.pass(0);
    expect(call.failure).toMatchObject({
      class: "auth",
      auth: "forbidden",
      status: null,
      reason: "the call could not be authorized: the metadata service said ***",
    });
    expect(call.failure && keyEffect(call.failure)).toBe("cool");
    expect(clock.pending).toBe(0);
  });

  it("tells no part of a credential that has several", async () => {
    const { call, clock } = called(async () => {
      throw new Error("signed with SECRETSECRET for AKIDEXAMPLE in eu");
    }, "AKIDEXAMPLE:SECRETSECRET:eu");
    await clock.pass(0);
    expect(call.failure?.reason).toBe("the call could not be authorized: signed with *** for *** in eu");
  });

  it("quarantines the key when the credential itself was rejected", async () => {
    const { call, clock } = called(async () => ({ denied: "rejected", reason: "invalid_grant" }));
    await clock.pass(0);
    expect(call.failure && keyEffect(call.failure)).toBe("quarantine");
  });

  it("is given up after the time for a connection, and is no fault of the server", async () => {
    const gate = Promise.withResolvers<Authorization>();
    const { call, clock, outlet } = called(() => gate.promise);
    await clock.pass(5000);
    expect(call.failure).toMatchObject({ class: "auth", auth: "forbidden", reason: "not authorized within 5000 ms" });
    gate.resolve({ headers: [] });
    await clock.pass(60_000);
    expect(outlet.sent).toBe(0);
  });

  it("leaves the connection its whole time", async () => {
    const gate = Promise.withResolvers<Authorization>();
    const { call, clock, outlet } = called(() => gate.promise);
    await clock.pass(4999);
    gate.resolve({ headers: [] });
    await clock.pass(4999);
    expect(outlet.sent).toBe(1);
    expect(call.failure).toBeNull();
    await clock.pass(1);
    expect(call.failure).toMatchObject({ class: "refused" });
  });
});
