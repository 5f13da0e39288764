import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import { chatRequest } from "./answers.ts";
import { hasContent } from "./client.ts";
import { chatPath, type Gateway } from "./contenders/contender.ts";
import { tuloy } from "./contenders/tuloy.ts";
import { provenance } from "./machine.ts";
import { startMock } from "./mock.ts";
import type { BenchOptions } from "./options.ts";
import { scratchDirectory } from "./processes.ts";
import { openFilesLimit, treeResidentBytes } from "./proc.ts";
import type { Section } from "./results.ts";
import { columns, figure, renderTable } from "./table.ts";

const megabyte = 2 ** 20;
/** Opened at once; more would overflow the backlog of a listening socket. */
const atOnce = 100;
const openingLimitMs = 120_000;

/** How many streams the limit on open files allows: the gateway needs two sockets for each, and some files of its own. */
export function streamsWithin(limit: number, wanted: number): number {
  return Math.max(0, Math.min(wanted, Math.floor((limit - 200) / 2)));
}

/** What an open stream costs in memory while little happens on it, which is how most streams spend most of their time. */
export async function streams({ streams: wanted }: BenchOptions): Promise<Section> {
  const count = streamsWithin(openFilesLimit(), wanted);
  const directory = scratchDirectory();
  const mock = await startMock(directory, { events: 1, intervalMs: 1 });
  const outcome = await tuloy.start({ directory, upstreamPort: mock.port });
  const title = "Many open streams";
  if (!outcome.ready) return { name: "streams", title, introduction: `Tuloy ${outcome.why}`, tables: [] };
  const { gateway } = outcome;
  const before = treeResidentBytes(gateway.pid) / megabyte;
  const sockets: Socket[] = [];
  const startedAt = performance.now();
  let opened = 0;
  while (sockets.length < count && performance.now() - startedAt < openingLimitMs) {
    const batch = Array.from({ length: Math.min(atOnce, count - sockets.length) }, () => openStream(gateway));
    sockets.push(...batch.map(({ socket }) => socket));
    const content = await Promise.all(batch.map(async ({ firstContent }) => firstContent));
    opened += content.filter(Boolean).length;
  }
  // Two of the upstream's words arrive on every stream meanwhile: buffers that are kept per stream show up.
  await sleep(22_000);
  const open = (await mock.counters()).open;
  const during = treeResidentBytes(gateway.pid) / megabyte;
  for (const socket of sockets) socket.destroy();
  await sleep(5_000);
  const leftOpen = (await mock.counters()).open;
  const after = treeResidentBytes(gateway.pid) / megabyte;
  return {
    name: "streams",
    title,
    introduction: [
      `Resident memory of Tuloy with ${count} streams open for over 20 s, one word every 10 s on each. The goal is 10,000 within 1 GB.`,
      count < wanted ? `The limit on open files allowed no more than these.` : "",
      provenance(),
    ].join(" "),
    tables: [
      renderTable(
        columns(
          ">with content",
          ">open after 20 s",
          ">MB before",
          ">MB with them",
          ">KB per stream",
          ">still open 5 s after the clients left",
          ">MB then",
        ),
        [
          [
            String(opened),
            String(open),
            figure(before),
            figure(during),
            figure(((during - before) * 1024) / open),
            String(leftOpen),
            figure(after),
          ],
        ],
      ),
    ],
  };
}

/** Sends one request over a socket of its own; `firstContent` tells within 30 s whether its stream began. */
function openStream({ origin, headers }: Gateway): { socket: Socket; firstContent: Promise<boolean> } {
  const body = chatRequest("bench-sse-open", 512);
  const { hostname, port, host } = new URL(origin);
  const fields = { host, "content-type": "application/json", "content-length": String(body.length), ...headers };
  const head = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  const { promise: firstContent, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(Number(port), hostname);
  const givenUp = setTimeout(() => resolve(false), 30_000);
  void firstContent.then(() => clearTimeout(givenUp));
  socket.on("data", (bytes: Buffer) => {
    if (hasContent(bytes.toString("latin1"))) resolve(true);
  });
  socket.once("error", () => resolve(false));
  socket.once("close", () => resolve(false));
  socket.write(`POST ${chatPath} HTTP/1.1\r\n${head.join("")}\r\n${body}`);
  return { socket, firstContent };
}
