import type { Failure, FailureClass } from "@tuloy/contract";

import { parseJson } from "../json/value.ts";
import type { FailureMarker, ProviderPreset } from "../providers/preset.ts";
import { findError, type ErrorFacts } from "./error-facts.ts";
import { cleanReason } from "./reason.ts";
import { readRetryAfter } from "./retry-after.ts";
import { codeSignals, messageSignals, statusClasses, typeSignals, type Signal } from "./table.ts";

type Markers = Pick<ProviderPreset, "markers">;

/** Messages may quote a whole prompt; what matters stands at their start. */
const searchedLength = 2000;

interface Verdict {
  readonly class: FailureClass;
  readonly auth?: "rejected" | "forbidden";
}

/**
 * Answers about the key or the account are not kept: they may hold part of the key, and they are never the client's to see.
 */
const unkept: ReadonlySet<FailureClass> = new Set(["auth", "quota_exhausted"]);

/**
 * What an upstream's error answer means: the provider's own markers first, then what errors say at every provider, then the
 * status.
 * @param answer `headers` looks a header up by its lower-case name; `wall` is now, in milliseconds since 1970
 */
export function classifyResponse(answer: {
  readonly status: number;
  readonly headers: (name: string) => string | undefined;
  readonly body: Buffer;
  readonly preset: Markers;
  readonly wall: number;
}): Failure {
  const { status, headers, body, preset, wall } = answer;
  const facts = withTypeHeader(findError(parseJson(body.toString("utf8"))), headers("x-amzn-errortype"));
  const effective = status >= 400 ? status : (facts?.status ?? null);
  const nowhere = (status === 404 || status === 405) && saysNoPath(facts);
  const fromApi = facts !== null && !(nowhere && facts.codes.length === 0);
  const verdict = judge(effective, facts, preset.markers) ?? byStatus(status, fromApi);
  return {
    ...failureOf(verdict, facts, status, reasonOf(status, facts, body)),
    ...(nowhere ? { missingPath: true as const } : {}),
    retryAfterMs: readRetryAfter(headers, wall) ?? facts?.retryAfterMs ?? null,
    ...(unkept.has(verdict.class)
      ? {}
      : {
          response: { status: surfaced(effective, verdict.class), contentType: headers("content-type") ?? null, body },
        }),
  };
}

/**
 * How servers say that they have nothing at a path: FastAPI (vLLM, SGLang) by `{"detail":"Not Found"}`, llama.cpp by an error "File Not
 * Found", others by a page that is no error object. An API that misses a model or a file says which.
 */
function saysNoPath(facts: ErrorFacts | null): boolean {
  return facts === null || /^(?:(?:file )?not found|method not allowed)\.?$/i.test(facts.message?.trim() ?? "");
}

/** AWS names an error in a header: `ThrottlingException:http://internal.amazon.com/…`. */
function withTypeHeader(facts: ErrorFacts | null, header: string | undefined): ErrorFacts | null {
  const name = header?.split(":", 1)[0]?.trim() ?? "";
  if (name === "") return facts;
  return { message: null, status: null, ...facts, codes: [name, ...(facts?.codes ?? [])] };
}

/**
 * What an error object means that came under 200: as an event of a stream, or in place of an answer. Where it says nothing
 * that is known the class is `garbled`.
 * @param value parsed JSON @param preset the provider's markers @returns null when it is no error object
 */
export function classifyErrorObject(value: unknown, preset: Markers): Failure | null {
  const facts = findError(value);
  return facts === null ? null : classifyFacts(value, facts, preset);
}

/** The failure of an event that is an error by its name, whatever its data is. */
export function classifyErrorEvent(data: string, preset: Markers): Failure {
  const value = parseJson(data);
  const facts = findError(value) ?? { codes: [], message: typeof value === "string" ? value : data, status: null };
  return classifyFacts(value ?? { message: data }, facts, preset);
}

function classifyFacts(value: unknown, facts: ErrorFacts, preset: Markers): Failure {
  const verdict = judge(facts.status, facts, preset.markers) ?? innerStatus(facts.status) ?? { class: "garbled" };
  const reason = `error under status 200: ${facts.message ?? facts.codes[0] ?? "without a message"}`;
  return {
    ...failureOf(verdict, facts, 200, cleanReason(reason)),
    ...(unkept.has(verdict.class)
      ? {}
      : {
          response: {
            status: surfaced(facts.status, verdict.class),
            contentType: "application/json",
            body: Buffer.from(JSON.stringify(value)),
          },
        }),
  };
}

function failureOf(verdict: Verdict, facts: ErrorFacts | null, status: number, reason: string): Failure {
  const code = facts?.codes[0] ?? null;
  return {
    class: verdict.class,
    reason,
    status,
    code: code === null ? (facts?.status?.toString() ?? null) : cleanReason(code),
    retryAfterMs: facts?.retryAfterMs ?? null,
    ...(verdict.class === "auth" ? { auth: verdict.auth ?? "rejected" } : {}),
  };
}

function judge(status: number | null, facts: ErrorFacts | null, markers: readonly FailureMarker[]): Verdict | null {
  const message = facts?.message?.slice(0, searchedLength).toLowerCase() ?? "";
  const codes = facts?.codes ?? [];
  for (const marker of markers) {
    if (marker.status !== undefined && marker.status !== status) continue;
    if (marker.code !== undefined && marker.code !== codes[0]) continue;
    if (marker.message !== undefined && !message.includes(marker.message)) continue;
    if (marker.class !== "auth") return marker;
    return { class: "auth", auth: marker.auth ?? (status === 403 ? "forbidden" : "rejected") };
  }
  return (
    byCode(codeSignals, codes, status) ??
    messageSignals.find((signal) => underStatus(signal, status) && matchesMessage(signal.message, message)) ??
    // Under a status that says more, a type that many causes share says nothing.
    (status === null || !statusClasses.has(status) ? byCode(typeSignals, codes, status) : null)
  );
}

function byCode(signals: readonly Signal[], codes: readonly string[], status: number | null): Signal | null {
  for (const code of codes) {
    const found = signals.find((signal) => underStatus(signal, status) && matchesCode(signal.code, code));
    if (found !== undefined) return found;
  }
  return null;
}

function underStatus(signal: Signal, status: number | null): boolean {
  return status === null || signal.statuses === undefined || signal.statuses.includes(status);
}

function matchesCode(pattern: string | RegExp | undefined, code: string): boolean {
  return typeof pattern === "string" ? code === pattern : (pattern?.test(code) ?? false);
}

function matchesMessage(pattern: string | RegExp | undefined, message: string): boolean {
  return typeof pattern === "string" ? message.includes(pattern) : (pattern?.test(message) ?? false);
}

function innerStatus(status: number | null): Verdict | null {
  return status === null ? null : byStatus(status, true);
}

/** @param isApiError the body was an error object, so an API answered and not something in front of it */
function byStatus(status: number, isApiError: boolean): Verdict {
  const row = statusClasses.get(status);
  if (row !== undefined) return row;
  if (status >= 500) return { class: "server_error" };
  // "404 page not found" in plain text is how proxies (Traefik, ingress controllers) say that the server behind them is
  // gone. An API that refuses a request says so in an error object.
  if ((status === 404 || status === 405) && !isApiError) return { class: "garbled" };
  return { class: status >= 400 ? "invalid_request" : "garbled" };
}

/** The status a client gets when the answer is surfaced: never a success for an error. */
function surfaced(status: number | null, failure: FailureClass): number {
  if (status !== null && status >= 400) return status;
  return failure === "invalid_request" || failure === "context_length" || failure === "content_filter" ? 400 : 502;
}

function reasonOf(status: number, facts: ErrorFacts | null, body: Buffer): string {
  if (facts !== null)
    return cleanReason(`status ${status}: ${facts.message ?? facts.codes[0] ?? "an error without a message"}`);
  if (status >= 300 && status < 400) return `status ${status}: redirects are not followed; correct the base_url`;
  if (body.length === 0) return `status ${status} with an empty body`;
  const start = body.toString("utf8", 0, 200).trimStart();
  if (start.startsWith("<")) return `status ${status} with a page of HTML`;
  return cleanReason(`status ${status}: ${start.slice(0, 100).replace(/\S*$/, "")}`);
}
