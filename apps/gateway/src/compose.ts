import { createHash } from "node:crypto";

import type { Clock } from "@tuloy/contract";
import { Health } from "@tuloy/routing";
import type { FastifyInstance } from "fastify";
import type { Ledger } from "@tuloy/store";

import type { LiveConfig } from "./config/live.ts";
import type { Snapshot } from "./config/snapshot.ts";
import { createHttpServer } from "./http/server.ts";
import type { Observer } from "./observe/observer.ts";
import { InFlight } from "./relay/in-flight.ts";
import type { Relay } from "./relay/serve.ts";
import { UpstreamPools } from "./upstream/pools.ts";
import { Probes } from "./watch/probes.ts";

export interface GatewayParts {
  readonly config: LiveConfig;
  readonly ledger: Ledger;
  readonly observer: Observer;
  readonly clock: Clock;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
}

export interface Listening {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
}

export interface Gateway {
  /** `http://127.0.0.1:8787` */
  readonly url: string;
  readonly health: Health;
  /**
   * Takes no new requests, lets those in flight end within the grace period, then ends them with an error, and writes what
   * is still to be written.
   */
  close(graceMs: number): Promise<void>;
}

/** After their error event, streams get this long to reach their clients. */
const farewellMs = 2000;

/** Wires the parts of a gateway and listens. Rejects when the address cannot be listened on. */
export async function startGateway(
  { config, ledger, observer, clock, random }: GatewayParts,
  listening: Listening,
): Promise<Gateway> {
  const health = new Health({
    random,
    onBreakerChange: (deployment, view) => observer.breakerChanged(deployment, view),
    onKeyQuarantined: (provider, key) => observer.keyQuarantined(provider, key),
    onKeyRestored: (provider, key) => observer.keyRestored(provider, key),
  });
  takeKeys(health, config.current);
  config.onChange((snapshot) => takeKeys(health, snapshot));

  const pools = new UpstreamPools();
  const inFlight = new InFlight();
  const relay: Relay = { config, health, outlet: pools, observer, inFlight, clock, random };
  const probes = new Probes({ config, health, outlet: pools, clock, observer });
  const app = createHttpServer({ relay, host: listening.host });

  const url = await app.listen(listening);
  probes.start();

  const close = async (graceMs: number): Promise<void> => {
    inFlight.beginClosing();
    probes.stop();
    // Stops listening at once; what is in flight goes on, and each connection is closed with its answer.
    app.server.close();
    await within(inFlight.drained(), graceMs, clock);
    inFlight.stopAll();
    await within(inFlight.drained(), farewellMs, clock);
    // Answers that were just written leave before their connections are closed.
    setImmediate(() => app.server.closeIdleConnections());
    await within(closed(app), farewellMs, clock);
    app.server.closeAllConnections();
    await pools.destroy();
    await ledger.close();
  };
  return { url, health, close };
}

async function closed(app: FastifyInstance): Promise<void> {
  await app.close();
}

/** The keys' state lives in `health`, by name and identity: a key whose value changed starts anew. */
function takeKeys(health: Health, snapshot: Snapshot): void {
  for (const { name, keys } of snapshot.providers.values()) {
    health.keyPool(name).reconcile(
      keys.map((key) => ({
        name: key.name,
        identity: createHash("sha256").update(key.value).digest("base64"),
        weight: key.weight,
        limits: key.limits,
        reserved: key.reserved,
      })),
    );
  }
}

/** Resolves when the promise is settled, or when the time is up. */
async function within(promise: Promise<void>, ms: number, clock: Clock): Promise<void> {
  const { promise: timeIsUp, resolve } = Promise.withResolvers<void>();
  const timer = clock.after(ms, resolve);
  await Promise.race([promise.catch(() => {}), timeIsUp]);
  timer.cancel();
}
