import { answersChat } from "@tuloy/testkit";
import type { Collected, ReceivedRequest } from "@tuloy/testkit";
import { afterAll, beforeAll, beforeEach } from "vitest";

import type { TestGateway } from "./harness.ts";
import { openScene } from "./scene.ts";

/** One gateway for a whole file, in front of an upstream that answers `hello there`. */
export interface SharedScene {
  readonly gateway: TestGateway;
  /** What the upstream was asked in this test. */
  asked(): readonly ReceivedRequest[];
  /** The one request that the upstream got in this test. */
  sent(): ReceivedRequest;
}

/** For tests that only send: nothing that one of them sends may spoil the gateway for the next. */
export function shareScene(): SharedScene {
  let opened: Awaited<ReturnType<typeof openScene<"a">>>;
  let askedBefore = 0;
  beforeAll(async () => {
    opened = await openScene({ a: answersChat("hello there") });
  });
  afterAll(() => opened.close());
  beforeEach(() => {
    askedBefore = opened.scene.a.requests.length;
  });
  const asked = (): readonly ReceivedRequest[] => opened.scene.a.requests.slice(askedBefore);
  return {
    get gateway() {
      return opened.scene.gateway;
    },
    asked,
    sent() {
      const [only, ...more] = asked();
      if (only === undefined || more.length > 0) throw new Error(`the upstream was asked ${asked().length} times`);
      return only;
    },
  };
}

/** The error of an answer in OpenAI's form. */
export function errorOf(answer: Pick<Collected, "json">): Record<string, unknown> & { message: string } {
  const { error } = answer.json() as { error: Record<string, unknown> & { message: string } };
  return error;
}
