import type { Exchange } from "./exchange.ts";
import { errorBody } from "./exchange.ts";
import { errorAnswers } from "./faults.ts";
import type { SandboxFault } from "./faults.ts";
import type { Pace } from "./paced-stream.ts";

const heartbeatMs = 250;
const serverError = errorAnswers["500"];
/** What a misconfigured proxy shows. */
export const welcomePage =
  "<!doctype html><html><head><title>Welcome</title></head><body><h1>It works!</h1></body></html>";

/**
 * Answers in the way of a fault that leaves nothing of the real answer.
 * @returns false when the fault lets the answer begin, or only slows it down: then nothing was done
 */
export function strike(exchange: Exchange, fault: SandboxFault, pace: Pace, stream: boolean): boolean {
  const contentType = stream ? "text/event-stream; charset=utf-8" : "application/json";
  switch (fault.name) {
    case "reset":
      exchange.reset();
      break;
    case "hang":
      break;
    case "headers-then-silence":
      exchange.sendHead(contentType);
      break;
    case "comments":
      exchange.sendHead(contentType);
      beat(exchange, stream ? ": PROCESSING\n\n" : " ");
      break;
    case "html":
      exchange.send(200, "text/html; charset=utf-8", welcomePage);
      break;
    case "error-event":
      exchange.sendHead(contentType);
      exchange.after(pace.firstTokenMs, () => {
        const error = JSON.stringify(errorBody(serverError));
        exchange.response.end(stream ? `data: ${error}\n\n` : error);
      });
      break;
    case "429":
      exchange.sendError(errorAnswers["429"], retryAfterHeader(fault.ms));
      break;
    case "500":
    case "503":
    case "529":
    case "quota":
    case "401":
    case "403":
    case "404":
      exchange.sendError(errorAnswers[fault.name]);
      break;
    case "slow-first-token":
    case "stall":
    case "cut":
    case "truncate":
    case "malformed":
    case "no-done":
    case "empty":
    case "refuse":
      return false;
  }
  return true;
}

/** Sends a JSON answer when all of it would have been written, spoiled as the fault says. */
export function sendPaced(exchange: Exchange, answer: unknown, afterMs: number, fault: SandboxFault | null): void {
  const text = JSON.stringify(answer);
  exchange.after(afterMs, () => {
    const half = text.slice(0, Math.floor(text.length / 2));
    if (fault?.name === "stall" || fault?.name === "cut") {
      exchange.sendHead("application/json", Buffer.byteLength(text));
      exchange.write(half);
      if (fault.name === "cut") exchange.drop();
    } else if (fault?.name === "truncate") {
      exchange.sendHead("application/json");
      exchange.response.end(half);
    } else {
      exchange.send(200, "application/json", fault?.name === "malformed" ? half : text);
    }
  });
}

function beat(exchange: Exchange, heartbeat: string): void {
  // A reader that takes nothing gets nothing more: its buffer must not grow for ever.
  if (!exchange.response.writableNeedDrain) exchange.write(heartbeat);
  exchange.after(heartbeatMs, () => beat(exchange, heartbeat));
}

function retryAfterHeader(ms: number): Record<string, string> {
  return ms % 1000 === 0 ? { "retry-after": String(ms / 1000) } : { "retry-after-ms": String(ms) };
}
