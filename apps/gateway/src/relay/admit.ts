import type { IncomingHttpHeaders } from "node:http";

import { clientError, type ClientError } from "@tuloy/contract";
import type { ClientDialect } from "@tuloy/dialects";

import type { Claim } from "../idempotency/claim.ts";
import type { Claims } from "../idempotency/claims.ts";
import type { KeptAnswer } from "../idempotency/kept-answer.ts";
import type { Asked } from "./read.ts";

/** What becomes of a request before anything is planned for it. */
export type Admission =
  /** `claim` is its hold on its idempotency key; null when it came without one. */
  | { readonly kind: "admitted"; readonly claim: Claim | null }
  /** It was answered before, by the request whose trace id is `from`. */
  | { readonly kind: "replay"; readonly answer: KeptAnswer; readonly from: string }
  | { readonly kind: "refused"; readonly error: ClientError };

/** A request without an idempotency key: nearly all of them. */
export const unkeyed = { kind: "admitted", claim: null } as const;

export interface AdmitContext {
  readonly claims: Claims;
  readonly dialect: ClientDialect;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly traceId: string;
}

const longestKey = 255;

/** Whether a request with an idempotency key is carried out, is answered as it was before, or has to wait. */
export async function admit(asked: Asked, key: string | string[], context: AdmitContext): Promise<Admission> {
  if (typeof key !== "string" || key === "" || key.length > longestKey) {
    const length = typeof key === "string" ? `${key.length} characters` : "several values";
    return refused(
      clientError(
        "invalid_request",
        `The header Idempotency-Key must have 1 to ${longestKey} characters, not ${length}.`,
        {
          param: "Idempotency-Key",
        },
      ),
    );
  }
  const { claims, dialect, body, traceId } = context;
  const claiming = await claims.claim({
    principal: asked.principal,
    endpoint: `${dialect.dialect} ${dialect.operation}`,
    key,
    body,
    holder: traceId,
    deadlineMs: asked.deadlineMs,
    retention: asked.route.retention,
  });
  switch (claiming.kind) {
    case "claimed":
      return { kind: "admitted", claim: claiming.claim };
    case "replay":
      return claiming;
    case "in_flight":
      return refused(
        clientError("idempotency_in_flight", "A request with this Idempotency-Key is under way: ask again later.", {
          param: "Idempotency-Key",
          retryAfterMs: claiming.retryAfterMs,
        }),
      );
    case "mismatch":
      return refused(
        clientError(
          "idempotency_mismatch",
          "This Idempotency-Key was used with another body: a new request needs a key of its own.",
          { param: "Idempotency-Key" },
        ),
      );
    case "unavailable":
      return refused(
        clientError(
          "idempotent_replay_unavailable",
          `The request with this Idempotency-Key was answered (trace ${claiming.from}), but its answer is not kept. To have it carried out again, send a new key.`,
          { param: "Idempotency-Key" },
        ),
      );
  }
}

/** Whether a request with an idempotency key goes on when its client is gone: its answer will be asked for again. */
export function outlivesClient({ request }: Asked, headers: IncomingHttpHeaders): boolean {
  return !request.facts.stream || headers["x-tuloy-on-disconnect"] === "finish";
}

function refused(error: ClientError): Admission {
  return { kind: "refused", error };
}
