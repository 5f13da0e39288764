import type { IncomingMessage, ServerResponse } from "node:http";

import { controlErrors, type ClientError, type Clock, type ControlErrorCode } from "@tuloy/contract";
import type { Health } from "@tuloy/routing";
import type { Ledger } from "@tuloy/store";

import type { LiveConfig } from "../config/live.ts";
import { discardRest } from "../http/body.ts";
import type { Observer } from "../observe/observer.ts";
import type { DrillBoard } from "../upstream/drills/board.ts";
import type { Outlet } from "../upstream/outlet.ts";
import type { Isolation } from "./isolation.ts";

/** What the control plane works with. */
export interface ControlContext {
  readonly config: LiveConfig;
  readonly health: Health;
  readonly isolation: Isolation;
  readonly board: DrillBoard;
  readonly outlet: Outlet;
  readonly observer: Observer;
  readonly ledger: Ledger;
  readonly clock: Clock;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  /** What whoever calls must present. */
  readonly operatorKey: string;
}

type Handler = (message: IncomingMessage, response: ServerResponse) => void;

/**
 * The control plane, loaded with its first request: most starts of a gateway are not followed by one, and none should wait
 * for it.
 */
export function controlPlane(context: ControlContext): Handler {
  let loading: Promise<Handler> | null = null;
  return (message, response) => {
    loading ??= import("./app.ts").then(({ createControlApp }) => createControlApp(context));
    loading.then(
      (handle) => handle(message, response),
      (error: unknown) => {
        context.observer.fault("none", error);
        refuseControl(response, "internal_error", "The control plane could not be loaded; the log says why.");
      },
    );
  };
}

/** Answers a request for the control plane that never gets there. */
export function refuseControl(response: ServerResponse, code: ControlErrorCode, message: string): void {
  discardRest(response.req);
  response.writeHead(controlErrors[code], { "content-type": "application/json" });
  response.end(controlErrorBody(code, message));
}

export function refusePage(response: ServerResponse, { message }: ClientError): void {
  refuseControl(response, "forbidden_origin", message);
}

export function controlErrorBody(code: ControlErrorCode, message: string): string {
  return JSON.stringify({ error: { code, message } });
}
