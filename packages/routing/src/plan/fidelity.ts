import type { Quantization } from "@tuloy/contract";

/**
 * Bits of a quantization's class. 16 and more are one class: nobody has shown a difference between answers at 16 and 32
 * bits, while those below it differ measurably and from each other.
 */
const bits: Readonly<Record<Quantization, number>> = {
  full: 16,
  fp32: 16,
  bf16: 16,
  fp16: 16,
  fp8: 8,
  int8: 8,
  fp6: 6,
  fp4: 4,
  int4: 4,
};

const { full } = bits;
const namesOfFull = new Set(Object.entries(bits).flatMap(([name, own]) => (own === full ? [name] : [])));

/** The class of a deployment's weights. Unknown counts as full. */
export function fidelityClass(quantization: Quantization | null): number {
  return quantization === null ? full : bits[quantization];
}

/**
 * Whether a list of quantizations allows one. Those of the full class are the same to a list; below it every one must be
 * named. Unknown counts as full, and may also be named as `unknown`.
 */
export function allowsQuantization(list: readonly string[], quantization: Quantization | null): boolean {
  if (list.includes(quantization ?? "unknown")) return true;
  if (fidelityClass(quantization) !== full) return false;
  return list.some((name) => namesOfFull.has(name));
}
