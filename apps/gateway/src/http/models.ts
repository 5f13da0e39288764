import type { IncomingMessage, ServerResponse } from "node:http";

import { clientError, type ClientError } from "@tuloy/contract";
import { writeModel, writeModelList, type ListedModel } from "@tuloy/dialects";

import type { ModelEntry } from "../config/snapshot.ts";
import { resolveModel } from "../config/match.ts";
import { authenticate } from "../relay/authenticate.ts";
import { traceHeaders } from "../relay/headers.ts";
import type { Relay } from "../relay/serve.ts";
import { newTraceId } from "../relay/trace-id.ts";
import { errorAnswer } from "./error-answer.ts";

/** `GET /models`: every canonical model that something serves, by name. */
export function listModels(message: IncomingMessage, response: ServerResponse, relay: Relay): void {
  answer(message, response, relay, () => {
    const entries = [...relay.config.current.models.values()].sort((a, b) => a.model.localeCompare(b.model));
    return writeModelList(entries.map(listed));
  });
}

/** `GET /models/{id}`: the id may hold slashes, and be an alias. */
export function oneModel(message: IncomingMessage, response: ServerResponse, relay: Relay, prefix: string): void {
  answer(message, response, relay, () => {
    const asked = decode((message.url ?? "").split("?", 1)[0]?.slice(prefix.length) ?? "");
    const resolved = resolveModel(relay.config.current, asked);
    if (!("notFound" in resolved)) return writeModel(listed(resolved.entry));
    const nearest = resolved.nearest.length > 0 ? ` Nearest: ${resolved.nearest.join(", ")}.` : "";
    return clientError("model_not_found", `No provider here serves the model "${asked.slice(0, 100)}".${nearest}`, {
      param: "model",
    });
  });
}

function answer(
  message: IncomingMessage,
  response: ServerResponse,
  relay: Relay,
  write: () => Buffer | ClientError,
): void {
  const id = newTraceId(relay.clock.wall());
  const principal = authenticate(message.headers, relay.config.current.keyRing);
  const body = "type" in principal ? principal : write();
  if (!Buffer.isBuffer(body)) return errorAnswer(response, body, id);
  response.writeHead(200, { ...traceHeaders(id), "content-type": "application/json", "content-length": body.length });
  response.end(body);
}

function listed({ model, deployments }: ModelEntry): ListedModel {
  return { id: model, ownedBy: [...new Set(deployments.map(({ provider }) => provider))].join(","), created: 0 };
}

/** A broken percent-escape is taken as it is: the look-up will not find it, and says so. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
