import type { Failure } from "@tuloy/contract";

import type { ClientReply } from "../http/client-reply.ts";
import type { Interrupt, Interruption } from "./interrupt.ts";
import type { StreamCall } from "./stream-call.ts";

/** How the delivery of a committed stream ended. */
export type Delivery =
  | { readonly kind: "whole" }
  | { readonly kind: "broken"; readonly failure: Failure }
  | { readonly kind: "interrupted"; readonly reason: Interruption };

/**
 * Pours a committed stream into the client's answer, no faster than the client reads. The answer's end is left to the caller,
 * except that a whole stream gets its terminator.
 */
export function pourStream(stream: StreamCall, reply: ClientReply, interrupt: Interrupt): Promise<Delivery> {
  return new Promise((resolve) => {
    let waiting = false;
    const settle = (delivery: Delivery): void => {
      interrupt.listen(null);
      resolve(delivery);
    };
    interrupt.listen((reason) => {
      stream.cancel();
      settle({ kind: "interrupted", reason });
    });
    if (interrupt.reason) return;
    stream.pour({
      write(bytes) {
        const ready = reply.write(bytes);
        if (!ready && !waiting) {
          waiting = true;
          reply.onDrain(() => {
            waiting = false;
            stream.resume();
          });
        }
        return ready;
      },
      ended(ending) {
        if (ending.kind === "whole") reply.end(ending.trailer);
        settle(ending.kind === "whole" ? { kind: "whole" } : ending);
      },
    });
  });
}
