import type { ProviderKind } from "@tuloy/contract";
import { presetOf } from "@tuloy/dialects";
import type { ProviderPreset } from "@tuloy/dialects";

/**
 * The preset of a kind that the schema allows.
 * @throws when a kind was added to the schema and has no preset, which a test notices first
 */
export function presetFor(kind: ProviderKind): ProviderPreset {
  const preset = presetOf(kind);
  if (preset === null) throw new Error(`kind ${kind} has no preset`);
  return preset;
}
