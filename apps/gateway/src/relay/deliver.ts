import type { Deployment, Failure } from "@tuloy/contract";
import { laneFor, type ClientDialect, type StreamRelabel } from "@tuloy/dialects";

import type { ClientReply } from "../http/client-reply.ts";
import { atTurnEnd } from "../turn-end.ts";
import { ownFault, type AttemptContext } from "./attempt.ts";
import type { Interruption } from "./interrupt.ts";
import type { Asked } from "./read.ts";
import type { StreamCall } from "./stream-call.ts";

/** How the delivery of a committed stream ended. */
export type Delivery =
  | { readonly kind: "whole" }
  | { readonly kind: "broken"; readonly failure: Failure }
  | { readonly kind: "interrupted"; readonly reason: Interruption };

/**
 * Pours a committed stream into the client's answer, no faster than the client reads. The answer's end is left to the caller,
 * except that a whole stream gets its terminator.
 * Never rejects.
 * @param relabel names the model otherwise in what passes; null: it passes as it is
 */
export function pourStream(
  stream: StreamCall,
  reply: ClientReply,
  context: Pick<AttemptContext, "interrupt" | "fault">,
  relabel: StreamRelabel | null,
): Promise<Delivery> {
  const { interrupt } = context;
  return new Promise((resolve) => {
    const spout = new Spout(stream, reply);
    const settle = (delivery: Delivery): void => {
      interrupt.listen(null);
      resolve(delivery);
    };
    interrupt.listen((reason) => {
      stream.cancel();
      spout.flush();
      settle({ kind: "interrupted", reason });
    });
    if (interrupt.reason) return;
    try {
      stream.pour({
        write:
          relabel === null
            ? (bytes) => spout.take(bytes)
            : (bytes) => relabel.push(bytes).forEach((part) => spout.take(part)),
        ended(ending) {
          if (ending.kind === "whole") spout.end(ending.trailer);
          else spout.flush();
          settle(ending.kind === "whole" ? { kind: "whole" } : ending);
        },
      });
    } catch (error) {
      stream.cancel();
      spout.flush();
      settle({ kind: "broken", failure: ownFault(error, context) });
    }
  });
}

/** What names the model in a stream as the route reports it; null where the provider's own name stands. */
export function relabelFor({ route, request }: Asked, dialect: ClientDialect): StreamRelabel | null {
  return route.reportModel === "answered" ? null : dialect.relabelStream(request.model);
}

/** The same for a deployment's own stream: one that is translated was written with the right name. */
export function relabelOf(asked: Asked, dialect: ClientDialect, deployment: Deployment): StreamRelabel | null {
  const relabel = relabelFor(asked, dialect);
  return relabel === null || laneFor(dialect.dialect, deployment)?.kind === "translate" ? null : relabel;
}

/** As much as is read from a socket at once. */
const gatheredBytes = 64 * 1024;

/**
 * Gathers what one turn brought from the upstream, often many events of a few dozen bytes, into one write to the client at
 * the end of that turn. Pauses the stream while the client reads slower than it comes.
 */
class Spout {
  readonly #stream: StreamCall;
  readonly #reply: ClientReply;
  #parts: Buffer[] = [];
  #bytes = 0;
  #waiting = false;

  constructor(stream: StreamCall, reply: ClientReply) {
    this.#stream = stream;
    this.#reply = reply;
  }

  take(bytes: Buffer): void {
    if (this.#parts.push(bytes) === 1) atTurnEnd(this.flush);
    this.#bytes += bytes.length;
    // A socket with much to read is read many times in one turn: a slow client must be noticed before that.
    if (this.#bytes >= gatheredBytes) this.flush();
  }

  flush = (): void => {
    const bytes = this.#gathered();
    if (bytes === null || this.#reply.write(bytes) || this.#waiting) return;
    this.#waiting = true;
    this.#stream.pause();
    this.#reply.onDrain(() => {
      this.#waiting = false;
      this.#stream.resume();
    });
  };

  end(trailer: Buffer): void {
    this.#parts.push(trailer);
    this.#reply.complete(this.#gathered() ?? trailer);
  }

  #gathered(): Buffer | null {
    const parts = this.#parts;
    if (parts.length === 0) return null;
    this.#parts = [];
    this.#bytes = 0;
    return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
  }
}
