import { chatRequest } from "./answers.ts";
import { ChatClient } from "./client.ts";
import { startTuloy } from "./contenders/tuloy.ts";
import { type Fault, faultNames, FaultyUpstream, contentPieces, piecesBeforeCut } from "./faulty-upstream.ts";
import { provenance } from "./machine.ts";
import type { BenchOptions } from "./options.ts";
import { freePort, scratchDirectory } from "./processes.ts";
import type { Section } from "./results.ts";
import { median } from "./stats.ts";
import { columns, figure, renderTable } from "./table.ts";

const firstTokenLimit = "500ms";

/** One row: what A does, and how B goes on with what A began. */
interface Kind {
  readonly name: string;
  /** `refuse`: nobody listens. */
  readonly fault: Fault | "refuse";
  /** Of B, as the configuration file spells it. */
  readonly continuation?: string;
}

const middle = "cut in the middle" satisfies Fault;
const kinds: readonly Kind[] = [
  ...(["refuse", ...faultNames] as const).filter((fault) => fault !== middle).map((fault) => ({ name: fault, fault })),
  { name: `${middle}, gone on with`, fault: middle, continuation: "assistant-prefix" },
  { name: `${middle}, replayed`, fault: middle, continuation: "none" },
];
const warmUps = 20;

interface Recovery {
  /** Milliseconds from A's failure to the first content at the client. */
  readonly recoveredMs: number[];
  /** The same request answered by B alone, from sending to first content. */
  readonly aloneMs: number[];
  /** Why samples failed. */
  readonly failures: string[];
}

/**
 * How long a user waits because a provider failed: per class of failure, two upstreams serve the same model, A fails, B
 * answers at once.
 */
export async function recovery({ samples }: BenchOptions): Promise<Section> {
  const rows: string[][] = [];
  for (const kind of kinds) {
    const result = await measureKind(kind, samples);
    if (typeof result === "string") {
      rows.push([kind.name, "–", "–", "–", "–", result]);
      continue;
    }
    const { recoveredMs, aloneMs, failures } = result;
    const note = failures.length === 0 ? "" : `${failures.length} failed: ${failures[0]}`;
    rows.push([
      kind.name,
      `${recoveredMs.length} of ${samples}`,
      figure(median(recoveredMs)),
      figure(Math.max(...recoveredMs)),
      figure(median(aloneMs)),
      note,
    ]);
    console.error(`recovery from ${kind.name}: ${figure(median(recoveredMs))} ms ${note}`);
  }
  return {
    name: "recovery",
    title: "Time to recover",
    introduction: [
      "Two upstreams serve the same model. A fails; measured is the time from A's failure (for `refuse` and the two silent",
      "faults: from the request's sending or arrival) to the first content at the client that B serves: after a cut in the",
      "middle, the first that A had not sent. *B alone* is a",
      `request that only B serves, from sending to first content. \`first_token: ${firstTokenLimit}\`, streams,`,
      `${samples} samples each, breakers held shut so that every sample meets the fault.`,
      provenance(),
    ].join(" "),
    tables: [renderTable(columns("A's fault", ">recovered", ">median ms", ">worst ms", ">B alone, ms", "note"), rows)],
  };
}

/**
 * A gateway of its own per fault, and per sample a model with its own provider in front of A: a key that was quarantined,
 * cooled or disabled by one sample would otherwise keep the next from meeting the fault.
 */
async function measureKind({ fault, continuation }: Kind, samples: number): Promise<Recovery | string> {
  const [portA, portB] = [await freePort(), await freePort()];
  const a = fault === "refuse" ? null : await FaultyUpstream.listen(portA);
  const b = await FaultyUpstream.listen(portB);
  if (a !== null && fault !== "refuse") a.fault = fault;
  const models = Array.from({ length: samples }, (_, i) => `bench-${i}`);
  const outcome = await startTuloy({
    directory: scratchDirectory(),
    providers: [
      ...models.map((model) => ({ name: `a-${model}`, port: portA, models: [model] })),
      {
        name: "b",
        port: portB,
        models: [...models, "bench-alone"],
        ...(continuation === undefined ? {} : { continuation }),
      },
    ],
    failover: { first_token: firstTokenLimit, breaker: { failures: 1_000, rate: 1, of: 1_000 } },
  });
  try {
    if (!outcome.ready) return outcome.why;
    const client = new ChatClient(outcome.gateway.origin, outcome.gateway.headers);
    const result = await sample(models, client, a, fault === middle ? piecesBeforeCut : 0);
    await client.close();
    await outcome.gateway.stop();
    return result;
  } finally {
    a?.close();
    b.close();
  }
}

/** @param sent how many pieces of content A sends before it fails */
async function sample(
  models: readonly string[],
  client: ChatClient,
  a: FaultyUpstream | null,
  sent: number,
): Promise<Recovery> {
  const result: Recovery = { recoveredMs: [], aloneMs: [], failures: [] };
  for (let i = 0; i < warmUps + models.length; i++) {
    const { failure, firstContentAt, sentAt } = await client.chat(chatRequest("bench-alone", 512));
    if (failure !== null || firstContentAt === null) result.failures.push(`B alone: ${failure}`);
    else if (i >= warmUps) result.aloneMs.push(firstContentAt - sentAt);
  }
  for (const model of models) {
    const arrivals = a?.arrivals.length ?? 0;
    const { failure, contentAt, sentAt } = await client.chat(chatRequest(model, 512));
    const recoveredAt = contentAt[sent];
    if (failure !== null || recoveredAt === undefined) result.failures.push(failure ?? "no content");
    else if (contentAt.length !== contentPieces) result.failures.push(`${contentAt.length} pieces of content`);
    else if (a === null) result.recoveredMs.push(recoveredAt - sentAt);
    else if (a.arrivals.length === arrivals) result.failures.push("A was not asked");
    else result.recoveredMs.push(recoveredAt - a.failedAt);
  }
  return result;
}
