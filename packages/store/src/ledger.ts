import type { Alert, FailureClass, Outcome, Trace } from "@tuloy/contract";

/** What a ledger has done since it was opened. Counts rows: traces and alerts together. */
export interface LedgerStats {
  /** Handed over by `append` and `alert`. */
  readonly accepted: number;
  /** Committed to the store. */
  readonly written: number;
  /** Given up: the store could not take them and the bounded buffer was full, or it refused them for what they are. */
  readonly dropped: number;
  /** Accepted, and neither written nor dropped yet. */
  readonly pending: number;
  /** The last write failed and none has succeeded since. */
  readonly failing: boolean;
}

/** A row that the store refuses for what it is: it was dropped, so that the rows behind it are written. */
export interface RefusedRow {
  readonly row: "trace" | "alert";
  /** The trace's id, or the alert's kind and subject. */
  readonly name: string;
  /** What the database says, on one line. */
  readonly reason: string;
}

/** Told at most once for each period of trouble, and once for each batch with refused rows, so that an operator's log is not flooded. */
export interface LedgerListener {
  /** The first write that failed; `message` is one line that says why and what to do. Requests go on. */
  onTrouble(message: string): void;
  /** Writing works again. `dropped` counts the rows that were given up meanwhile. */
  onRecovered(dropped: number): void;
  /** Rows of one batch that are lost, one at least; the rest of it is written. */
  onRefused(rows: readonly RefusedRow[]): void;
}

/**
 * Where finished traces and alerts go. One implementation per database; each passes the shared suite in
 * `ledger-conformance.ts`.
 *
 * `append` and `alert` run on the request's thread: they return at once and never throw. What they accept is written
 * within 100 ms or so, in batches. When the store is in trouble, rows wait in a bounded buffer; when that is full, the
 * oldest are dropped and counted.
 */
export interface Ledger {
  append(trace: Trace): void;
  alert(alert: Alert): void;
  /** Resolves when everything accepted before the call is written or dropped. While the store is in trouble that can take until it recovers. */
  flush(): Promise<void>;
  /** Writes what it can within a few seconds, then releases the store. Later appends are dropped and counted. May be called again. */
  close(): Promise<void>;
  readonly stats: LedgerStats;
}

/** One line of a listing: the trace without its plan, attempts and notes. */
export interface TraceRow {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly started_at: number;
  readonly environment: string;
  readonly requested_model: string;
  readonly model: string | null;
  readonly outcome: Outcome;
  readonly status: number;
  readonly failover: FailureClass | null;
  readonly provider: string | null;
  /** How many attempts were made. */
  readonly attempts: number;
  readonly first_token_ms: number | null;
  readonly duration_ms: number;
  readonly cost_usd: number | null;
  /** The drill in whose scope the request was, or null. */
  readonly drill: string | null;
}

/** Which traces to list: all given conditions must hold. */
export interface TraceQuery {
  readonly limit: number;
  /** A trace id: only older traces than this one. The last id of one page gives the next page. */
  readonly before?: string | undefined;
  readonly outcomes?: readonly Outcome[] | undefined;
  /** Only requests with a failed attempt (true), or only those without (false). */
  readonly failedOver?: boolean | undefined;
  /** The canonical model, or the name the client asked for. */
  readonly model?: string | undefined;
  /** The provider that answered. */
  readonly provider?: string | undefined;
  readonly environment?: string | undefined;
}

/** Which traces to read whole, oldest first: all given conditions must hold. */
export interface TraceSpan {
  /** Milliseconds since 1970: requests that began then or later. */
  readonly since: number;
  readonly route?: string | undefined;
  /** A drill in whose scope the request was, or whose fault it met. */
  readonly drill?: string | undefined;
}

/** What an id, or the beginning of one, stands for. `ids` holds at most ten of them, oldest first. */
export type TraceLookup =
  | { readonly found: "one"; readonly trace: Trace }
  | { readonly found: "none" }
  | { readonly found: "several"; readonly ids: readonly string[] };

/** The reading side, for people: the command line and the console. Not for the hot path. */
export interface LedgerReader {
  /** Newest first. */
  list(query: TraceQuery): Promise<readonly TraceRow[]>;
  /** Every trace of the span, a page at a time: a long span is never held in memory whole. */
  traces(span: TraceSpan): AsyncIterable<Trace>;
  /** Upper-case digits are read as lower-case ones. A text that is not hexadecimal finds none. */
  find(idOrPrefix: string): Promise<TraceLookup>;
  /** Newest first. `subject`: only those about it. */
  alerts(query: { readonly limit: number; readonly subject?: string | undefined }): Promise<readonly Alert[]>;
  close(): Promise<void>;
}

/**
 * Why a store could not be opened.
 * `missing`: nothing was recorded there yet (readers only). `unusable`: the place cannot hold a store: permissions, a
 * file where a directory belongs. `damaged`: there is something that is not a store. `newer`: a later version of Tuloy
 * made it. `failed`: anything else.
 */
export type LedgerErrorCode = "missing" | "unusable" | "damaged" | "newer" | "failed";

/** A store could not be opened. The message is one line, for a person, and says what to do. */
export class LedgerError extends Error {
  readonly code: LedgerErrorCode;

  constructor(code: LedgerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "LedgerError";
    this.code = code;
  }
}
