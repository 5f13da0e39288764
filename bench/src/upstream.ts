/**
 * The mock OpenAI server that every contender relays to: own process, raw sockets, answers prepared once, so that it uses
 * as little as possible of the core it shares with the load.
 *
 * `node upstream.ts --port 9000 [--events 60] [--interval 5]`: content events per stream; milliseconds between the events
 * of `bench-sse-paced`. It prints a line when it listens. `GET /counters` tells what it has served so far.
 */
import { createServer, type Socket } from "node:net";
import { parseArgs } from "node:util";

import { type BenchModel, benchModels, jsonAnswer, streamEvents } from "./answers.ts";
import { type FramedRequest, RequestFramer } from "./request-framer.ts";

/** What the upstream has served since it started. */
export interface UpstreamCounters {
  requests: number;
  bodyBytes: number;
  /** SSE events written, terminators included. */
  events: number;
  /** Streams that are open now. */
  open: number;
}

const { values } = parseArgs({
  options: {
    port: { type: "string" },
    events: { type: "string", default: "60" },
    interval: { type: "string", default: "5" },
  },
});
const contentEvents = Number(values.events);
const intervalMs = Number(values.interval);

const counters: UpstreamCounters = { requests: 0, bodyBytes: 0, events: 0, open: 0 };
const streamHead =
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n";
const endOfBody = "0\r\n\r\n";
const jsonBytes = wholeAnswer("200 OK", jsonAnswer());
const framedEvents = new Map(
  benchModels.map((model) => [model, streamEvents(model, contentEvents).map((event) => httpChunk(event))]),
);

function wholeAnswer(status: string, body: string): Buffer {
  return Buffer.from(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function httpChunk(text: string): Buffer {
  return Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
}

function answer(socket: Socket, { requestLine, bodyStart, bodyBytes }: FramedRequest): void {
  if (requestLine.startsWith("GET /counters ")) {
    socket.write(wholeAnswer("200 OK", JSON.stringify(counters)));
    return;
  }
  const model = /"model": ?"(bench-[a-z-]+)"/.exec(bodyStart)?.[1];
  counters.requests++;
  counters.bodyBytes += bodyBytes;
  if (model === "bench-json") socket.write(jsonBytes);
  else if (model === "bench-sse") stream(socket, model, (next) => setImmediate(next));
  else if (model === "bench-sse-paced") stream(socket, model, (next) => setTimeout(next, intervalMs));
  else if (model === "bench-sse-open") openForEver(socket);
  else
    socket.write(wholeAnswer("404 Not Found", '{"error":{"message":"no such bench model","code":"model_not_found"}}'));
}

/** Each event is a write of its own, so that a gateway meets events as a provider sends them, not as one block. */
function stream(socket: Socket, model: BenchModel, soon: (next: () => void) => void): void {
  const events = framedEvents.get(model) ?? [];
  let sent = 0;
  const next = () => {
    if (socket.destroyed) return;
    const event = events[sent++];
    if (event === undefined) {
      socket.write(endOfBody);
      return;
    }
    counters.events++;
    socket.write(event);
    soon(next);
  };
  socket.write(streamHead);
  next();
}

const openStreams = new Set<Socket>();

/** A stream with a word now and more of them for as long as the client stays: for counting what an open stream costs. */
function openForEver(socket: Socket): void {
  const [role, content] = framedEvents.get("bench-sse-open") ?? [];
  if (role === undefined || content === undefined) return;
  socket.write(Buffer.concat([Buffer.from(streamHead), role, content]));
  openStreams.add(socket);
  counters.open = openStreams.size;
  socket.once("close", () => {
    openStreams.delete(socket);
    counters.open = openStreams.size;
  });
}

// Well within the 30 s after which a gateway would rightly call a silent stream stalled.
const heartbeat = setInterval(() => {
  const content = framedEvents.get("bench-sse-open")?.[1];
  for (const socket of openStreams) if (content !== undefined) socket.write(content);
}, 10_000);
heartbeat.unref();

const server = createServer({ noDelay: true }, (socket) => {
  const framer = new RequestFramer((request) => answer(socket, request));
  socket.on("data", (bytes: Buffer) => {
    try {
      framer.push(bytes);
    } catch (error) {
      socket.destroy(error instanceof Error ? error : undefined);
    }
  });
  // A client that goes away is a matter of course here; its request counts as an error on the client's side.
  socket.on("error", () => socket.destroy());
});
server.listen({ port: Number(values.port), host: "127.0.0.1", backlog: 4096 }, () => console.log("listening"));
process.once("SIGTERM", () => process.exit(0));
