import { connect } from "node:net";
import type { Socket } from "node:net";

import { eventually } from "@tuloy/testkit";
import { onTestFinished } from "vitest";

import { apiKey, model } from "./harness.ts";

/** A bare connection to a gateway, for what no HTTP client would send. Destroyed when the test is over. */
export interface Wire {
  readonly socket: Socket;
  /** Everything that came so far, byte for byte (latin1). */
  heard(): string;
  /** The connection is closed, in order or not. */
  isClosed(): boolean;
  send(...parts: readonly (string | Uint8Array)[]): void;
  /** Waits until this was heard. */
  until(text: string): Promise<string>;
  /** Waits until the connection is closed. @returns everything that was heard */
  closed(): Promise<string>;
}

export async function openWire(url: string): Promise<Wire> {
  const { port, hostname } = new URL(url);
  const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  const pieces: Buffer[] = [];
  let closed = false;
  socket.on("data", (bytes: Buffer) => pieces.push(bytes));
  // A reset is one of the ways to close; `end` another, after which this side has nothing left to say.
  socket.on("error", () => {});
  socket.on("end", () => socket.end());
  socket.on("close", () => (closed = true));
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  const heard = (): string => Buffer.concat(pieces).toString("latin1");
  return {
    socket,
    heard,
    isClosed: () => closed,
    send: (...parts) => {
      for (const part of parts) socket.write(typeof part === "string" ? Buffer.from(part, "latin1") : part);
    },
    until: (text) =>
      eventually(() => (heard().includes(text) ? heard() : undefined), `hearing ${JSON.stringify(text)}`),
    closed: async () => {
      await eventually(() => closed, "the end of the connection");
      return heard();
    },
  };
}

export interface RawRequest {
  readonly method?: string;
  readonly path?: string;
  readonly version?: "1.0" | "1.1";
  /** Header lines without their ends, after the usual ones. */
  readonly lines?: readonly string[];
  /** Which of the usual header lines are left out. */
  readonly without?: readonly ("host" | "authorization" | "content-type" | "content-length")[];
  /** Default: a chat request. */
  readonly body?: string;
}

/** A request's bytes as text, usual unless told otherwise. */
export function rawRequest(options: RawRequest = {}): string {
  const { method = "POST", path = "/v1/chat/completions", version = "1.1", lines = [], without = [] } = options;
  const body = options.body ?? JSON.stringify({ model, messages: [{ role: "user", content: "Hi" }] });
  const usual = {
    host: "Host: 127.0.0.1",
    authorization: `Authorization: Bearer ${apiKey}`,
    "content-type": "Content-Type: application/json",
    "content-length": `Content-Length: ${Buffer.byteLength(body)}`,
  };
  const kept = Object.entries(usual)
    .filter(([name]) => !without.some((left) => left === name))
    .map(([, line]) => line);
  return `${[`${method} ${path} HTTP/${version}`, ...kept, ...lines].join("\r\n")}\r\n\r\n${body}`;
}

/** The last answer on a connection, once it is whole: its status line and headers, and its body as JSON. */
export async function answerOn(wire: Wire): Promise<{ status: number; head: string; error: Record<string, unknown> }> {
  return eventually(
    () => {
      const heard = wire.heard();
      const start = [...heard.matchAll(/HTTP\/1\.1 \d{3} /g)].at(-1)?.index ?? 0;
      const [head = "", body = ""] = heard.slice(start).split("\r\n\r\n", 2);
      const length = /^content-length: (\d+)$/im.exec(head)?.[1];
      if (length === undefined || body.length < Number(length)) return undefined;
      const { error } = JSON.parse(body) as { error: Record<string, unknown> };
      return { status: Number(head.slice(9, 12)), head, error };
    },
    `a whole answer after ${JSON.stringify(wire.heard())}`,
  );
}
