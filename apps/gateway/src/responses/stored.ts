import type { IncomingMessage, ServerResponse } from "node:http";

import { clientError, type ClientError, type Deployment } from "@tuloy/contract";
import { openaiResponses } from "@tuloy/dialects";
import type { ResponsePlace } from "@tuloy/store";

import type { Snapshot } from "../config/snapshot.ts";
import { discardRest } from "../http/body.ts";
import { ClientReply } from "../http/client-reply.ts";
import { errorAnswer } from "../http/error-answer.ts";
import { authenticate } from "../relay/authenticate.ts";
import { encodeKept, secretOf, type AskedOfKept } from "../relay/encode.ts";
import { Interrupt } from "../relay/interrupt.ts";
import type { Relay } from "../relay/serve.ts";
import { newTraceId } from "../relay/trace-id.ts";
import { StoredCall } from "./stored-call.ts";
import { unknownId, unreachable } from "./unknown.ts";

const { dialect } = openaiResponses;

/**
 * Everything about one response: `GET` and `DELETE /responses/{id}`, `POST …/cancel`, `GET …/input_items`. It goes to the provider
 * that keeps the response, with the key under which it does. No model is asked, so there is no plan and no trace.
 * @param prefix the path before the id
 */
export async function storedResponse(
  message: IncomingMessage,
  response: ServerResponse,
  relay: Relay,
  prefix: string,
): Promise<void> {
  const { config, clock, responses } = relay;
  const traceId = newTraceId(clock.wall());
  try {
    const principal = authenticate(message.headers, config.current.keyRing);
    if ("type" in principal) return errorAnswer(response, principal, traceId);
    if (relay.inFlight.closing) return errorAnswer(response, shuttingDown, traceId);
    discardRest(message);
    const asked = readPath(message, prefix);
    const found = await responses.find(principal, asked.id);
    if (!found.ok) return errorAnswer(response, unreadable, traceId);
    if (found.value === null) return errorAnswer(response, unknownId(asked.id, null), traceId);
    await ask(asked, found.value, { message, response, relay, traceId });
    // What it deleted is nowhere any more.
    if (message.method === "DELETE" && response.statusCode < 300) await responses.forget(principal, asked.id);
  } catch (error) {
    relay.observer.fault(traceId, error);
    if (!response.headersSent) errorAnswer(response, ownFault(traceId), traceId);
  }
}

interface Reading extends AskedOfKept {
  readonly id: string;
}

function readPath({ url = "", method }: IncomingMessage, prefix: string): Reading {
  // The router reads no further than to a "#"; what stands behind one would be read by the provider.
  const [before = ""] = url.split("#", 1);
  const [path = "", query = ""] = before.split("?", 2);
  const [id = "", ...more] = path.slice(prefix.length).replace(/\/+$/, "").split("/");
  return {
    id: decode(id),
    method: method === "DELETE" || method === "POST" ? method : "GET",
    tail: [id, ...more].map((part) => `/${part}`).join(""),
    query: query === "" ? "" : `?${query}`,
    stream: new URLSearchParams(query).get("stream") === "true",
  };
}

/** Resolves when the answer, or an error in its place, was given. */
function ask(asked: Reading, place: ResponsePlace, { message, response, relay, traceId }: Request): Promise<void> {
  const snapshot = relay.config.current;
  const provider = snapshot.providers.get(place.provider);
  const deployment = provider === undefined ? null : speakerOf(snapshot, place.provider);
  const secret = provider === undefined ? null : secretOf(provider, place.key);
  const keyGone = provider !== undefined && provider.keys.length > 0 && secret === null;
  const request =
    provider === undefined || deployment === null || keyGone
      ? null
      : encodeKept(asked, dialect, deployment, provider, secret, message.headers);
  if (provider === undefined || request === null) {
    const why =
      provider === undefined
        ? "it is not configured any more"
        : "it is not asked in this API, or not with the key under which it is kept, any more";
    errorAnswer(response, { ...unreachable(asked.id, place.provider, why, "id"), status: 404 }, traceId);
    return Promise.resolve();
  }
  const interrupt = new Interrupt();
  relay.inFlight.add(interrupt);
  return new Promise<void>((resolve) => {
    const call = new StoredCall(
      {
        outlet: relay.outlet,
        clock: relay.clock,
        dialect: openaiResponses,
        preset: provider.preset,
        provider: provider.name,
        secret,
        reply: new ClientReply(response, relay.inFlight),
        interrupt,
        traceId,
        fault: (error) => relay.observer.fault(traceId, error),
      },
      request,
      () => resolve(),
    );
    call.start();
  }).finally(() => relay.inFlight.delete(interrupt));
}

interface Request {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly relay: Relay;
  readonly traceId: string;
}

/** Any deployment of a provider that is spoken to in this API: what it keeps belongs to the account, not to the model. */
function speakerOf({ models }: Snapshot, provider: string): Deployment | null {
  for (const { deployments } of models.values()) {
    const found = deployments.find((one) => one.provider === provider && one.dialects.includes(dialect));
    if (found !== undefined) return found;
  }
  return null;
}

const shuttingDown = clientError("shutting_down", "The gateway is shutting down; send the request again.", {
  retryAfterMs: 1000,
});

const unreadable = clientError("internal_error", "The records of kept responses cannot be read now: try again.", {
  retryAfterMs: 1000,
  status: 503,
});

function ownFault(traceId: string): ClientError {
  return clientError(
    "internal_error",
    `The gateway failed on this request; its log has the reason under the trace id ${traceId}.`,
  );
}

/** A broken percent-escape is taken as it is: nothing is known of it. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
