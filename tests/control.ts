import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { DrillView } from "@tuloy/contract";
import { collect, type Collected } from "@tuloy/testkit";

import type { TestGateway } from "./harness.ts";

export function controlKey(dataDir: string): string {
  return readFileSync(join(dataDir, "control.key"), "utf8").trim();
}

/** One request to a gateway's control plane, with its key unless `headers` say otherwise. */
export function control(
  gateway: Pick<TestGateway, "url" | "dataDir">,
  method: "GET" | "POST" | "DELETE",
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Collected> {
  return collect(`${gateway.url}/control/v1${path}`, {
    method,
    ...(body === undefined ? {} : { body }),
    headers: {
      authorization: `Bearer ${controlKey(gateway.dataDir)}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
  });
}

/** @throws when it does not start */
export async function startDrill(gateway: TestGateway, order: Readonly<Record<string, unknown>>): Promise<DrillView> {
  const answer = await control(gateway, "POST", "/drills", order);
  if (answer.status !== 201) throw new Error(`the drill did not start: ${answer.text()}`);
  return answer.json() as DrillView;
}

/** Of the error in an answer of the control plane. */
export function refusal(answer: Collected): {
  readonly status: number | null;
  readonly code: string;
  readonly message: string;
} {
  const { error } = answer.json() as { error: { code: string; message: string } };
  return { status: answer.status, ...error };
}
