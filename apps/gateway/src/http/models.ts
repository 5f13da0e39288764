import type { IncomingMessage, ServerResponse } from "node:http";

import { clientError, type ClientError } from "@tuloy/contract";
import {
  writeClaude,
  writeClaudeList,
  writeModel,
  writeModelList,
  type ListedClaude,
  type ListedModel,
} from "@tuloy/dialects";

import type { ModelEntry } from "../config/snapshot.ts";
import type { Principal } from "../config/key-ring.ts";
import { isVisible, resolveModel } from "../config/match.ts";
import { authenticate } from "../relay/authenticate.ts";
import { traceHeaders } from "../relay/headers.ts";
import type { Relay } from "../relay/serve.ts";
import { newTraceId } from "../relay/trace-id.ts";
import { errorAnswer } from "./error-answer.ts";

/** `GET /models`: every canonical model that something serves, by name. */
export function listModels(message: IncomingMessage, response: ServerResponse, relay: Relay): void {
  answer(message, response, relay, ({ organization }) => {
    const entries = [...relay.config.current.models.values()].filter((entry) => isVisible(entry, null, organization));
    entries.sort((a, b) => a.model.localeCompare(b.model));
    return isAnthropics(message)
      ? writeClaudeList(
          entries.map((entry) => claude(entry, organization)),
          (message.url ?? "").split("?", 2)[1] ?? "",
        )
      : writeModelList(entries.map((entry) => listed(entry, organization)));
  });
}

/** `GET /models/{id}`: the id may hold slashes, and be an alias. */
export function oneModel(message: IncomingMessage, response: ServerResponse, relay: Relay, prefix: string): void {
  answer(message, response, relay, ({ organization }) => {
    const asked = decode((message.url ?? "").split("?", 1)[0]?.slice(prefix.length) ?? "");
    const resolved = resolveModel(relay.config.current, asked, organization);
    if (!("notFound" in resolved)) {
      const { entry } = resolved;
      return isAnthropics(message) ? writeClaude(claude(entry, organization)) : writeModel(listed(entry, organization));
    }
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
  write: (principal: Principal) => Buffer | ClientError,
): void {
  const id = newTraceId(relay.clock.wall());
  const principal = authenticate(message.headers, relay.config.current.keyRing);
  const body = "type" in principal ? principal : write(principal);
  if (!Buffer.isBuffer(body)) return errorAnswer(response, body, id);
  response.writeHead(200, { ...traceHeaders(id), "content-type": "application/json", "content-length": body.length });
  response.end(body);
}

/** Only Anthropic's clients say which version of their API they speak. */
function isAnthropics({ headers }: IncomingMessage): boolean {
  return headers["anthropic-version"] !== undefined;
}

/** The longest of everything, over all that serve it: a request is never sent where it does not fit. */
function claude({ model, deployments }: ModelEntry, organization: string): ListedClaude {
  const visible = deployments.filter(({ owner }) => owner === null || owner === organization);
  const most = (counts: readonly (number | null)[]): number | null => {
    const known = counts.filter((count) => count !== null);
    return known.length === 0 ? null : Math.max(...known);
  };
  return {
    id: model,
    inputTokens: most(visible.map(({ contextTokens }) => contextTokens)),
    outputTokens: most(visible.map(({ outputTokens }) => outputTokens)),
  };
}

function listed({ model, deployments }: ModelEntry, organization: string): ListedModel {
  const visible = deployments.filter(({ owner }) => owner === null || owner === organization);
  return { id: model, ownedBy: [...new Set(visible.map(({ provider }) => provider))].join(","), created: 0 };
}

/** A broken percent-escape is taken as it is: the look-up will not find it, and says so. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
