import type { Alert, AlertKind, AttemptRecord, Clock, Trace } from "@tuloy/contract";
import { formatDuration } from "@tuloy/contract";
import type { BreakerView, ProbeResult } from "@tuloy/routing";
import type { Ledger } from "@tuloy/store";

import { formatProblem } from "../config/read.ts";
import type { ConfigProblem } from "../config/read.ts";
import type { ConfigEvent } from "../config/watch.ts";
import type { Log } from "./log.ts";

/**
 * Where everything worth knowing ends up: in the ledger, in the log. Called when a step is done, never during one, and
 * no method throws: what is seen of a request must not change what becomes of it.
 */
export interface Observer {
  /** A request is over. */
  finished(trace: Trace): void;
  /** A bug: something threw that should not. `traceId` is what the client was told. */
  fault(traceId: string, error: unknown): void;
  breakerChanged(deployment: string, view: BreakerView): void;
  keyQuarantined(provider: string, key: string): void;
  keyRestored(provider: string, key: string): void;
  configEvent(event: ConfigEvent): void;
  /** A probe is over. `changed`: the deployment was up before and is down now, or the other way round. */
  probed(deployment: string, result: ProbeResult, changed: boolean): void;
  /** Something else that an operator should know. */
  alert(kind: AlertKind, subject: string, message: string): void;
}

export interface ObserverParts {
  readonly ledger: Ledger;
  readonly log: Log;
  readonly clock: Clock;
}

export function createObserver({ ledger, log, clock }: ObserverParts): Observer {
  const safely = (what: () => void): void => {
    try {
      what();
    } catch (error) {
      // The log is the last place there is: when it fails too, nothing is left to tell.
      try {
        log.error({ event: "observer_failed", err: error }, "a record could not be kept");
      } catch {}
    }
  };
  const alert = (kind: AlertKind, subject: string, message: string): void =>
    safely(() => {
      const made: Alert = { at: clock.wall(), kind, subject, message };
      ledger.alert(made);
      if (noTrouble.has(kind)) log.info({ event: kind, subject }, message);
      else log.warn({ event: kind, subject }, message);
    });

  return {
    finished: (trace) =>
      safely(() => {
        ledger.append(trace);
        logTrace(trace, log);
      }),
    fault: (traceId, error) =>
      safely(() =>
        log.error({ event: "internal_error", trace: traceId, err: error }, "a request failed on a bug in the gateway"),
      ),
    breakerChanged(deployment, view) {
      if (view.state === "open") {
        alert(
          "breaker_opened",
          deployment,
          `${deployment} is failing (${causes[view.cause]}): requests go to its twins until it recovers.`,
        );
      } else if (view.state === "closed") {
        alert("breaker_closed", deployment, `${deployment} has recovered: requests go to it again.`);
      }
    },
    keyQuarantined: (provider, key) =>
      alert(
        "provider_key_quarantined",
        `${provider}/${key}`,
        `${provider} refuses the key ${key}, or its credit is used up: it is not used until it is mended. Check it at ${provider}.`,
      ),
    keyRestored: (provider, key) =>
      alert("provider_key_restored", `${provider}/${key}`, `The key ${key} works at ${provider} again.`),
    probed: (deployment, result, changed) => safely(() => logProbe(deployment, result, changed, log)),
    configEvent: (event) => safely(() => tellConfig(event, log, alert)),
    alert,
  };
}

const noTrouble: ReadonlySet<AlertKind> = new Set([
  "provider_key_restored",
  "breaker_closed",
  "deployment_isolated",
  "deployment_restored",
  "drill_started",
  "drill_ended",
]);

const causes = { fast: "errors", slow: "timeouts or stalls" } as const;

/** One line when a deployment goes down or comes back; each single probe only for someone who is debugging. */
function logProbe(deployment: string, { up, firstTokenMs, failure }: ProbeResult, changed: boolean, log: Log): void {
  const fields = {
    event: up === false ? "probe_failed" : "probe_answered",
    deployment,
    class: failure,
    ms: firstTokenMs === null ? null : Math.round(firstTokenMs),
  };
  if (changed && up === false) log.warn(fields, `${deployment} does not answer its probes (${failure ?? "slow"})`);
  else if (changed && up === true) log.info(fields, `${deployment} answers its probes again`);
  else if (log.isLevelEnabled("debug")) log.debug(fields, `${deployment} was probed`);
}

export function logConfigWarnings(warnings: readonly ConfigProblem[], log: Log): void {
  for (const warning of warnings) log.warn({ event: "config_warning" }, formatProblem(warning));
}

function tellConfig(event: ConfigEvent, log: Log, alert: Observer["alert"]): void {
  switch (event.kind) {
    case "applied": {
      const restart = event.needRestart.length > 0 ? `; a restart is needed for ${event.needRestart.join(", ")}` : "";
      log.info({ event: "config_applied", version: event.version }, `the new configuration holds${restart}`);
      logConfigWarnings(event.warnings, log);
      return;
    }
    case "rejected":
      alert(
        "config_rejected",
        "configuration",
        `The changed configuration is not valid; the one before still holds. ${event.problems.map(formatProblem).join(" ")}`,
      );
      return;
    case "failed":
      alert(
        "config_rejected",
        "configuration",
        `The changed configuration has no effect; the one before still holds. ${event.message}`,
      );
      return;
  }
}

/**
 * One line for a request that failed or failed over. The provider's words stay in the trace: they may quote the prompt.
 * An ordinary success is only worth a line to someone who is debugging.
 */
function logTrace(trace: Trace, log: Log): void {
  const lost = trace.outcome === "failed" || trace.outcome === "broken";
  if (!lost && trace.failover === null) {
    if (log.isLevelEnabled("debug"))
      log.debug(fields(trace), `${modelOf(trace)} ${trace.outcome} in ${formatDuration(trace.duration_ms)}`);
    return;
  }
  // A client's own fault is no trouble of the gateway's: nothing was tried elsewhere, and nothing needs an operator.
  const clientsFault = trace.failover === null && trace.status >= 400 && trace.status < 500;
  const message = lost ? lostMessage(trace) : failedOverMessage(trace);
  // What a drill made up is no trouble either.
  if (clientsFault || trace.drill !== null) log.info(fields(trace), message);
  else log.warn(fields(trace), message);
}

function fields(trace: Trace): Record<string, string | number | null> {
  const { from, to } = way(trace);
  return {
    event: trace.outcome === "succeeded" && trace.failover !== null ? "failed_over" : `request_${trace.outcome}`,
    trace: trace.id,
    route: trace.route,
    model: modelOf(trace),
    from,
    to,
    class: trace.failover ?? failed(trace)?.failure ?? null,
    code: trace.code,
    status: trace.status,
    attempts: trace.attempts.length,
    added_ms: trace.deltas?.latency_ms ?? null,
    duration_ms: trace.duration_ms,
    ...(trace.drill === null ? {} : { drill: trace.drill }),
  };
}

function failedOverMessage(trace: Trace): string {
  const { from, to } = way(trace);
  const added = trace.deltas === null ? "" : `, ${formatDuration(trace.deltas.latency_ms)} added`;
  return `${modelOf(trace)} failed over from ${from} to ${to ?? "none"} (${trace.failover})${added}`;
}

function lostMessage(trace: Trace): string {
  const what = trace.outcome === "broken" ? "broke off" : "failed";
  const attempts = trace.attempts.length;
  const tries =
    attempts === 0 ? "no attempt was made" : attempts === 1 ? "after 1 attempt" : `after ${attempts} attempts`;
  return `${modelOf(trace)} ${what} with ${trace.code ?? trace.status}, ${tries}`;
}

/** The deployment that was tried first, and the one that answered. */
function way(trace: Trace): { readonly from: string | null; readonly to: string | null } {
  return {
    from: trace.attempts[0]?.deployment ?? null,
    to: trace.attempts.findLast((attempt) => attempt.failure === null)?.deployment ?? null,
  };
}

function failed(trace: Trace): AttemptRecord | undefined {
  return trace.attempts.find((attempt) => attempt.failure !== null);
}

/** A request whose body was not understood names none. */
function modelOf(trace: Trace): string {
  return trace.model ?? (trace.requested_model === "" ? "a request" : trace.requested_model);
}
