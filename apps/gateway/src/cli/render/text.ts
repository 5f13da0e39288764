import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

/** Paints text, or leaves it as it is. Whether to is the caller's decision: a string knows no terminal. */
export type Paint = (style: Style, text: string) => string;

export function painter(color: boolean): Paint {
  return (style, text) => (color && text !== "" ? styleText(style, text, { validateStream: false }) : text);
}

/** Text that came from outside (a model's name, a provider's words), on one line and without terminal control. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ");
}

/** USD as people compare it: four significant digits, never in powers of ten. */
export function formatUsd(usd: number): string {
  if (usd === 0) return "$0";
  const digits = Math.min(12, Math.max(2, 3 - Math.floor(Math.log10(Math.abs(usd)))));
  const text = Math.abs(usd)
    .toFixed(digits)
    .replace(/(\.\d\d\d*?)0+$/, "$1");
  return `${usd < 0 ? "−" : ""}$${text}`;
}

/** `2026-11-23 03:10:39`, in UTC: the same for everyone who looks at a trace. */
export function formatTime(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString().slice(0, 19).replace("T", " ");
}
