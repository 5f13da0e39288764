import { join } from "node:path";

import { eventually } from "@tuloy/testkit";
import { expect, test } from "vitest";

import { readAddress } from "../../apps/gateway/src/control/address-file.ts";
import { GatewayProcess, run, scratchDirectory } from "../command.ts";

test("a command whose reader has gone, as of `| head`, ends without a word", async () => {
  const { code, stderr } = await run(["models"], { unread: true });
  expect([code, stderr]).toEqual([0, ""]);
});

test("a gateway whose output nobody reads any more goes on", async () => {
  const directory = scratchDirectory();
  const gateway = new GatewayProcess(["start", "--port", "0"], { directory, unread: true });
  const { url } = await eventually(() => readAddress(join(directory, ".tuloy")), "its address");
  // A line for the log, which nobody reads either.
  expect((await fetch(`${url}/v1/chat/completions`, { method: "POST" })).status).toBe(401);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  gateway.signal("SIGTERM");
  expect(await gateway.finished()).toMatchObject({ code: 0 });
});
