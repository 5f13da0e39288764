import { z } from "zod";

import { capabilities } from "../deployment.ts";
import { parseDuration } from "../duration.ts";

/** How single values are written: durations, names, secrets, and facts that a model and a provider's model share. */

/** Timers beyond this are a slip of the pen, and Node's own timers overflow at 24.8 days. */
const longestDurationMs = 24 * 3_600_000;

/** A duration as a person writes it, read into milliseconds. */
export function duration(shortestMs: number, longestMs = longestDurationMs) {
  return z.string().transform((text, context) => {
    const ms = parseDuration(text);
    const message =
      ms === null
        ? "is not a duration; write for example 250ms, 10s or 9m30s"
        : ms > longestMs
          ? `is longer than ${longestMs === longestDurationMs ? "24h" : `${longestMs / 60_000}m`}`
          : ms < shortestMs
            ? `is shorter than ${shortestMs}ms`
            : null;
    if (ms !== null && message === null) return ms;
    context.issues.push({ code: "custom", message: message ?? "", input: text });
    return z.NEVER;
  });
}

/** A duration, or `off`, which is read into null. */
export function durationOrOff(shortestMs: number, longestMs?: number) {
  const inner = duration(shortestMs, longestMs);
  return z.string().transform((text, context) => {
    if (text === "off") return null;
    const read = inner.safeParse(text);
    if (read.success) return read.data;
    const message = read.error.issues[0]?.message ?? "";
    context.issues.push({ code: "custom", message: `${message}, or off`, input: text });
    return z.NEVER;
  });
}

/** `off`, `p95` or a delay, read into what the settings hold; absent stays absent, since null means off. */
export function hedgeDelay() {
  const shortestMs = 10;
  return z
    .string()
    .transform((text, context): number | "p95" | "off" => {
      if (text === "off" || text === "p95") return text;
      const ms = parseDuration(text);
      if (ms !== null && ms >= shortestMs && ms <= longestDurationMs) return ms;
      const message =
        ms === null
          ? "is neither off, p95 nor a duration such as 800ms"
          : ms < shortestMs
            ? `is shorter than ${shortestMs}ms`
            : "is longer than 24h";
      context.issues.push({ code: "custom", message, input: text });
      return z.NEVER;
    })
    .meta({ written: `\`off\`, \`p95\` or a duration, at least ${shortestMs}ms` });
}

function name(what: string, pattern: RegExp, rule: string) {
  return z.string().regex(pattern, { error: `is not usable as ${what}: ${rule}` });
}

// A provider's name has no slash and no `@`, since `provider/model` and `@provider/id` are read as locks.
export const providerName = name(
  "a provider's name",
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
  "use letters, digits, dots, dashes and underscores, at most 64, beginning with a letter or digit",
);

// A model's name may hold slashes (`meta-llama/llama-3.3-70b`), but no `@`, which separates the region in a deployment's id.
export const modelName = name(
  "a model's name",
  /^[A-Za-z0-9][A-Za-z0-9._:/+-]{0,199}$/,
  "use letters, digits and . _ : / + -, at most 200, beginning with a letter or digit",
);

export const modelGlob = name(
  "a model pattern",
  /^[A-Za-z0-9*][A-Za-z0-9._:/+*-]{0,199}$/,
  "use a model's name, where * stands for any characters",
);

export const plainName = name(
  "a name",
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
  "use letters, digits, dots, dashes and underscores, at most 64, beginning with a letter or digit",
);

export const regionName = name("a region", /^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/, "use letters, digits and dashes");

// Both become part of an address.
export const locationName = name("a location", /^[a-z][a-z0-9-]{0,62}$/, "use lower-case letters, digits and dashes");

export const projectName = name(
  "a project",
  /^[a-z][a-z0-9.:-]{2,127}$/,
  "use its id, of at least three lower-case letters, digits and dashes, and not its title or number",
);

export const headerName = name(
  "a header's name",
  /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/,
  "use letters, digits, dashes and underscores, at most 64",
);

/** Sent in a header, so neither spaces nor line breaks nor anything beyond ASCII can be part of it. */
export const secretPattern = /^[\x21-\x7e]+$/;

export const secretRule = "holds a space, a line break or a character that no HTTP header can carry";

/** A credential of several parts is JSON, and never sent as it is; whether it is whole is told by who reads it. */
export const credentialPattern = /^(?:[\x21-\x7e]+|\s*\{[^]*)$/;

export const context = z.int().positive();

export const abilities = z.array(z.enum(capabilities));

export const dimensions = z.int().positive().max(65_536);
