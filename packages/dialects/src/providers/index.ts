import { anthropic, anthropicCompatible } from "./anthropic.ts";
import { bedrock } from "./bedrock.ts";
import { gemini } from "./gemini.ts";
import { openai } from "./openai.ts";
import { openaiCompatible } from "./openai-compatible.ts";
import type { ProviderPreset } from "./preset.ts";
import { sandbox } from "./sandbox.ts";
import { vertex } from "./vertex.ts";

const presets: ReadonlyMap<string, ProviderPreset> = new Map(
  [anthropic, anthropicCompatible, openai, openaiCompatible, bedrock, gemini, vertex, sandbox].map((preset) => [
    preset.kind,
    preset,
  ]),
);

/** Every `kind` that a configuration may name. */
export const presetKinds: readonly string[] = [...presets.keys()];

/** @returns the preset of a `kind`, or null when there is none */
export function presetOf(kind: string): ProviderPreset | null {
  return presets.get(kind) ?? null;
}
