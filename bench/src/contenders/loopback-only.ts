/**
 * Preloaded (`node --import`) into a gateway that would listen on every interface and has no setting for it: a benchmark
 * must not open a port to the network.
 */
import { Server } from "node:net";

// oxlint-disable-next-line typescript/unbound-method -- it is called on the server it is taken from
const listen = Server.prototype.listen as (this: Server, ...args: unknown[]) => Server;

Server.prototype.listen = function listenOnLoopback(this: Server, ...args: unknown[]): Server {
  const [port, host, ...rest] = args;
  return typeof port === "number" && typeof host !== "string"
    ? listen.call(this, port, "127.0.0.1", ...(typeof host === "function" ? [host] : []), ...rest)
    : listen.apply(this, args);
} as typeof Server.prototype.listen;
