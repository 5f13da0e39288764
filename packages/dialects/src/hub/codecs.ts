import type { Dialect } from "@tuloy/contract";

import type { ClientCodec, UpstreamCodec } from "./codec.ts";

const upstreamCodecs: ReadonlyMap<Dialect, UpstreamCodec> = new Map<Dialect, UpstreamCodec>([]);

const clientCodecs: ReadonlyMap<Dialect, ClientCodec> = new Map<Dialect, ClientCodec>([]);

/** How a provider is spoken to in a dialect; null for one that is forwarded only, never translated into. */
export function upstreamCodec(dialect: Dialect): UpstreamCodec | null {
  return upstreamCodecs.get(dialect) ?? null;
}

/** How a client is spoken to; null for a dialect that is never translated. */
export function clientCodec(dialect: Dialect): ClientCodec | null {
  return clientCodecs.get(dialect) ?? null;
}
