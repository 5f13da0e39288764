import type { AttemptKind, AttemptRecord, Outcome, Trace, Usage } from "@tuloy/contract";
import { formatDuration } from "@tuloy/contract";

import { formatTime, formatUsd, painter, printable, type Paint } from "./text.ts";

export interface TimelineOptions {
  readonly color: boolean;
  /** Columns of the terminal. */
  readonly width: number;
}

/** A trace for a person: what was tried when, why it failed, what it cost. Several lines, without a newline at the end. */
export function renderTimeline(trace: Trace, { color, width }: TimelineOptions): string {
  const paint = painter(color);
  return [
    ...heading(trace, paint),
    "",
    ...attempts(trace, width, paint),
    ...section("Plan", plan(trace), paint),
    ...section("Result", result(trace), paint),
    ...section("Notes", trace.notes.map(printable), paint),
  ].join("\n");
}

const outcomeStyles: Readonly<Record<Outcome, "green" | "red" | "yellow">> = {
  succeeded: "green",
  failed: "red",
  broken: "red",
  cancelled: "yellow",
};

function heading(trace: Trace, paint: Paint): string[] {
  const { outcome, failover, status, code } = trace;
  const [what, then] = beganBy(trace) === null ? ["failed over", "succeeded"] : ["broke off", "was completed"];
  const how = outcome === "succeeded" && failover !== null ? `${what} (${failover}) and ${then}` : outcome;
  const style = outcome === "succeeded" && failover !== null ? "yellow" : outcomeStyles[outcome];
  const answer = status === 0 ? [] : [`HTTP ${status}${code === null ? "" : ` ${printable(code)}`}`];
  const asked = [
    `${trace.operation} for ${printable(trace.requested_model)}`,
    trace.stream ? "streamed" : "not streamed",
    trace.route === null ? "no route" : `route ${printable(trace.route)}`,
    `environment ${printable(trace.environment)}`,
    `key ${printable(trace.key)}`,
  ];
  return [
    `${paint("bold", `Trace ${trace.id}`)}  ${paint(style, how)}${answer.map((text) => `  ${text}`).join("")}`,
    ...(trace.drill === null ? [] : [paint("yellow", `In the scope of ${printable(trace.drill)}`)]),
    paint("dim", `${formatTime(trace.started_at)} UTC, ${formatDuration(trace.duration_ms)}: ${asked.join(", ")}`),
  ];
}

const kinds: Readonly<Record<AttemptKind, string>> = {
  first: "first choice",
  twin: "twin",
  sibling_key: "another key",
  same_deployment: "the same again",
  equivalent: "another model",
  last_resort: "last resort",
  race: "race beside a call that had passed its limit",
  hedge: "hedge beside a call that had not answered yet",
  continuation: "went on from the break",
  continuation_probe: "asked whether it can go on from a break",
  replay: "answered again, to complete the answer",
  soft_continuation: "asked to go on from the last words",
};

/** What is left of a line for its bar, at least and at most. */
const barColumns = { least: 10, most: 48 };

function attempts(trace: Trace, width: number, paint: Paint): string[] {
  if (trace.attempts.length === 0) return ["No attempt was made."];
  const total = Math.max(trace.duration_ms, ...trace.attempts.map((attempt) => attempt.ended_ms));
  const names = Math.max(...trace.attempts.map((attempt) => printable(attempt.deployment).length));
  const spans = trace.attempts.map((attempt) => `${at(attempt.started_ms)} to ${at(attempt.ended_ms)}`);
  // "1  " before, and two spaces on each side of the bar.
  const rest = width - 3 - names - 4 - Math.max(...spans.map((span) => span.length));
  const columns = Math.min(barColumns.most, Math.max(barColumns.least, rest));
  return trace.attempts.flatMap((attempt, index) => [
    `${index + 1}  ${printable(attempt.deployment).padEnd(names)}  ${bar(attempt, total, columns, paint)}  ${spans[index] ?? ""}`,
    `   ${paint("dim", about(attempt))}`,
    `   ${verdict(attempt, paint)}`,
  ]);
}

/**
 * An attempt's place in the whole request: `░` while nothing came, `█` from its first token on. An attempt is never
 * thinner than one column, so that a refusal after a millisecond can be seen.
 */
function bar(attempt: AttemptRecord, total: number, columns: number, paint: Paint): string {
  const scale = (ms: number) => (total > 0 ? Math.round((ms / total) * columns) : 0);
  const start = Math.min(scale(attempt.started_ms), columns - 1);
  const end = Math.min(columns, Math.max(scale(attempt.ended_ms), start + 1));
  const token = attempt.first_token_ms === null ? end : Math.min(end, Math.max(start, scale(attempt.first_token_ms)));
  // An answer that came all at once has no first token of its own: it is an answer all the same.
  const answered = attempt.failure === null && attempt.first_token_ms === null;
  const drawn = answered ? "█".repeat(end - start) : "░".repeat(token - start) + "█".repeat(end - token);
  return paint("dim", "·".repeat(start)) + paint(styleOf(attempt), drawn) + paint("dim", "·".repeat(columns - end));
}

function about(attempt: AttemptRecord): string {
  return [
    kinds[attempt.kind],
    ...(attempt.trial ? ["the breaker's trial"] : []),
    `key ${printable(attempt.key)}`,
    ...(attempt.region === null ? [] : [`region ${printable(attempt.region)}`]),
    attempt.connected_ms === null ? "never connected" : `connected at ${at(attempt.connected_ms)}`,
    ...(attempt.first_token_ms === null ? [] : [`first token at ${at(attempt.first_token_ms)}`]),
    `ended at ${at(attempt.ended_ms)}`,
    ...(attempt.drill === null ? [] : [`the fault of ${printable(attempt.drill)} laid over it`]),
  ].join(", ");
}

function verdict(attempt: AttemptRecord, paint: Paint): string {
  const status = attempt.status === null ? "" : `HTTP ${attempt.status}, `;
  const cost = attempt.cost_usd === null ? "" : `, ${formatUsd(attempt.cost_usd)}`;
  const used = attempt.usage === null ? "" : `, ${tokens(attempt.usage)}${estimated(attempt.usage)}${cost}`;
  if (attempt.failure !== null) {
    const reason = attempt.reason === null ? "" : `: ${printable(attempt.reason)}`;
    return `${paint(styleOf(attempt), `${status}${attempt.failure}`)}${reason}${used}`;
  }
  return `${paint("green", `${status}answered`)}${used}`;
}

/** A call that was given up, because another was quicker or the client left, did nothing wrong. */
function styleOf({ failure }: AttemptRecord): "green" | "yellow" | "red" {
  if (failure === null) return "green";
  return failure === "cancelled" ? "yellow" : "red";
}

function estimated({ source }: Usage): string {
  return source === "estimate" ? " (estimated)" : "";
}

/** Moments and spans in one form: `0 ms` is the arrival of the request. */
function at(ms: number): string {
  return formatDuration(ms);
}

function plan(trace: Trace): string[] {
  const tried = new Set(trace.attempts.map((attempt) => attempt.deployment));
  return [
    ...trace.candidates.map(
      (name, index) => `${index + 1}. ${printable(name)}${tried.has(name) ? "" : ", not needed"}`,
    ),
    ...(trace.equivalents ?? []).map(({ deployment, score, why }) =>
      printable(
        `then ${deployment}${tried.has(deployment) ? "" : ", not needed"}: ${score === null ? "" : `closeness ${score}: `}${why}`,
      ),
    ),
    ...trace.exclusions.map(({ deployment, reason, detail }) =>
      printable(`left out: ${deployment} (${reason})${detail === "" ? "" : `: ${detail}`}`),
    ),
  ];
}

function result(trace: Trace): string[] {
  const { usage, cost_usd: cost, deltas, provider, tags } = trace;
  const named = Object.entries(tags).map(([name, value]) => printable(`${name}=${value}`));
  return [
    ...(provider === null ? [] : [answeredBy(provider, beganBy(trace))]),
    ...(trace.first_token_ms === null ? [] : [`first token after ${formatDuration(trace.first_token_ms)}`]),
    ...(usage === null ? [] : [`${tokens(usage)}${estimated(usage)}`]),
    ...(cost === null ? [] : [`cost ${formatUsd(cost)}`]),
    ...(deltas === null ? [] : [`against the primary: ${against(deltas)}`]),
    ...(named.length === 0 ? [] : [`tags ${named.join(", ")}`]),
  ];
}

const completing: ReadonlySet<AttemptKind> = new Set(["continuation", "replay", "soft_continuation"]);

/** The provider that began an answer which others completed, or null. */
function beganBy({ attempts, outcome }: Trace): string | null {
  if (outcome !== "succeeded") return null;
  const next = attempts.findIndex(({ kind }) => completing.has(kind));
  return attempts.slice(0, Math.max(next, 0)).findLast(({ first_token_ms: ms }) => ms !== null)?.provider ?? null;
}

function answeredBy(provider: string, began: string | null): string {
  return began === null
    ? `answered by ${printable(provider)}`
    : `begun by ${printable(began)}, completed by ${printable(provider)}`;
}

function against(deltas: NonNullable<Trace["deltas"]>): string {
  const time = `${formatDuration(deltas.latency_ms)} later`;
  if (deltas.cost_usd === null) return `${time}, difference in price unknown`;
  if (deltas.cost_usd === 0) return `${time}, at the same price`;
  return `${time}, ${formatUsd(Math.abs(deltas.cost_usd))} ${deltas.cost_usd > 0 ? "dearer" : "cheaper"}`;
}

function tokens(usage: Usage): string {
  const { cached_input_tokens: read, cache_write_tokens: written = 0, cache_write_1h_tokens: hour = 0 } = usage;
  const long = hour > 0 ? `, ${hour} of them for an hour` : "";
  const parts = [
    ...(read > 0 ? [`${read} cached`] : []),
    ...(written > 0 ? [`${written} written to the cache${long}`] : []),
  ];
  const cached = parts.length > 0 ? ` (${parts.join(", ")})` : "";
  const reasoning = usage.reasoning_tokens > 0 ? ` (${usage.reasoning_tokens} reasoning)` : "";
  return `${usage.input_tokens} tokens in${cached}, ${usage.output_tokens} out${reasoning}`;
}

function section(title: string, lines: readonly string[], paint: Paint): string[] {
  return lines.length === 0 ? [] : ["", paint("bold", title), ...lines.map((line) => `   ${line}`)];
}
