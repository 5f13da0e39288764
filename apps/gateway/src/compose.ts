import { once } from "node:events";
import type { Server } from "node:http";

import type { Clock } from "@tuloy/contract";
import { Health } from "@tuloy/routing";
import type { Store } from "@tuloy/store";

import type { LiveConfig } from "./config/live.ts";
import { takeKeys } from "./config/take-keys.ts";
import { controlPlane } from "./control/control.ts";
import { Isolation } from "./control/isolation.ts";
import type { IsolationFile } from "./control/isolation-file.ts";
import { createHttpServer } from "./http/server.ts";
import type { Observer } from "./observe/observer.ts";
import { Claims } from "./idempotency/claims.ts";
import { InFlight } from "./relay/in-flight.ts";
import type { Relay } from "./relay/serve.ts";
import { ResponsePlaces } from "./responses/places.ts";
import { Seal } from "./secrets/seal.ts";
import { TokenCounter } from "./tokens/token-counter.ts";
import { atTurnEnd } from "./turn-end.ts";
import type { DrillBoard } from "./upstream/drills/board.ts";
import { UpstreamPools } from "./upstream/pools.ts";
import { Expiry } from "./watch/expiry.ts";
import { Probes } from "./watch/probes.ts";

export interface GatewayParts {
  readonly config: LiveConfig;
  readonly store: Store;
  /** Of everything that is kept encrypted. */
  readonly masterKey: Buffer;
  readonly observer: Observer;
  readonly clock: Clock;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  /** What opens the control plane. */
  readonly operatorKey: string;
  /** Where what a person took out of use is kept. */
  readonly isolationFile: IsolationFile;
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
  {
    config,
    store: { ledger, idempotency, responses: responseRecords },
    masterKey,
    observer,
    clock,
    random,
    operatorKey,
    isolationFile,
  }: GatewayParts,
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
  const isolation = new Isolation(config, health, isolationFile);
  const counting = new Health({ random, unspoken: health.unspoken });
  takeKeys(counting, config.current);
  config.onChange((snapshot) => takeKeys(counting, snapshot));
  isolation.alsoFor(counting);

  const pools = new UpstreamPools(clock);
  const inFlight = new InFlight();
  const tokens = new TokenCounter(clock, (error) => observer.fault("none", error));
  const drills: DrillBoard = { running: null };
  const claims = new Claims({
    records: idempotency,
    seal: new Seal(masterKey, "idempotency"),
    clock,
    onTrouble: (message) => observer.alert("idempotency_failing", "idempotency keys", notProtected(message)),
  });
  const responses = new ResponsePlaces({
    records: responseRecords,
    seal: new Seal(masterKey, "responses"),
    clock,
    onTrouble: (message) => observer.alert("responses_failing", "kept responses", notKnown(message)),
  });
  const relay: Relay = {
    config,
    health,
    outlet: pools,
    observer,
    claims,
    responses,
    inFlight,
    tokens,
    counting,
    clock,
    random,
    drills,
    drill: null,
  };
  const probes = new Probes({ config, health, outlet: pools, clock, observer });
  const expiry = new Expiry({ records: idempotency, responses: responseRecords, clock });
  const control = controlPlane({
    config,
    health,
    isolation,
    board: drills,
    outlet: pools,
    observer,
    ledger,
    clock,
    random,
    operatorKey,
  });
  const server = createHttpServer({ relay, control, host: listening.host });
  server.listen(listening);
  await once(server, "listening");
  pools.startSweeping();
  probes.start();
  expiry.start();

  const close = async (graceMs: number): Promise<void> => {
    // The answers of this turn tell their clients that connections are kept: they leave while that is true.
    await new Promise<void>(atTurnEnd);
    inFlight.beginClosing();
    // Whoever still waits for a count goes on without it.
    const counted = tokens.close();
    probes.stop();
    expiry.stop();
    drills.running?.endAll();
    // Stops listening at once; what is in flight goes on, and each connection is closed with its answer.
    const closed = once(server, "close");
    server.close();
    await within(inFlight.drained(), graceMs, clock);
    inFlight.stopAll();
    await within(inFlight.drained(), farewellMs, clock);
    // Answers that were just written leave before their connections are closed.
    setImmediate(() => server.closeIdleConnections());
    await within(closed, farewellMs, clock);
    server.closeAllConnections();
    await counted;
    pools.destroy();
    await ledger.close();
  };
  return { url: urlOf(server), health, close };
}

function notProtected(message: string): string {
  return `Idempotency keys cannot be recorded: requests with one go on, but a repetition of them may be carried out again. ${message}`;
}

function notKnown(message: string): string {
  return `It cannot be recorded or looked up which provider keeps which response: requests go on, but cannot go on from an earlier response. ${message}`;
}

function urlOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server listens on no TCP address");
  return `http://${address.family === "IPv6" ? `[${address.address}]` : address.address}:${address.port}`;
}

/** Resolves when the promise is settled, or when the time is up. */
async function within(promise: Promise<unknown>, ms: number, clock: Clock): Promise<void> {
  const { promise: timeIsUp, resolve } = Promise.withResolvers<void>();
  const timer = clock.after(ms, resolve);
  await Promise.race([promise.catch(() => {}), timeIsUp]);
  timer.cancel();
}
