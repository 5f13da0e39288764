import { anthropic, anthropicCompatible } from "./anthropic.ts";
import { bedrock } from "./bedrock.ts";
import { gemini } from "./gemini.ts";
import { openai } from "./openai.ts";
import { openaiCompatible } from "./openai-compatible.ts";
import { alibaba } from "./alibaba.ts";
import { azure } from "./azure.ts";
import { cerebras } from "./cerebras.ts";
import { cloudflare } from "./cloudflare.ts";
import { cohere } from "./cohere.ts";
import { databricks } from "./databricks.ts";
import { deepinfra } from "./deepinfra.ts";
import { deepseek } from "./deepseek.ts";
import { fireworks } from "./fireworks.ts";
import { githubModels } from "./github-models.ts";
import { groq } from "./groq.ts";
import { huggingface } from "./huggingface.ts";
import { llamacpp } from "./llamacpp.ts";
import { lmstudio } from "./lmstudio.ts";
import { minimax } from "./minimax.ts";
import { mistral } from "./mistral.ts";
import { moonshot } from "./moonshot.ts";
import { nebius } from "./nebius.ts";
import { novita } from "./novita.ts";
import { nvidia } from "./nvidia.ts";
import { ollama } from "./ollama.ts";
import { openrouter } from "./openrouter.ts";
import { perplexity } from "./perplexity.ts";
import { sambanova } from "./sambanova.ts";
import { sglang } from "./sglang.ts";
import { together } from "./together.ts";
import { vllm } from "./vllm.ts";
import { xai } from "./xai.ts";
import { zai } from "./zai.ts";
import type { ProviderPreset } from "./preset.ts";
import { sandbox } from "./sandbox.ts";
import { vertex } from "./vertex.ts";

const presets: ReadonlyMap<string, ProviderPreset> = new Map(
  [
    anthropic,
    anthropicCompatible,
    openai,
    openaiCompatible,
    bedrock,
    gemini,
    vertex,
    sandbox,
    alibaba,
    azure,
    cerebras,
    cloudflare,
    cohere,
    databricks,
    deepinfra,
    deepseek,
    fireworks,
    githubModels,
    groq,
    huggingface,
    llamacpp,
    lmstudio,
    minimax,
    mistral,
    moonshot,
    nebius,
    novita,
    nvidia,
    ollama,
    openrouter,
    perplexity,
    sambanova,
    sglang,
    together,
    vllm,
    xai,
    zai,
  ].map((preset) => [preset.kind, preset]),
);

/** Every `kind` that a configuration may name. */
export const presetKinds: readonly string[] = [...presets.keys()];

/** @returns the preset of a `kind`, or null when there is none */
export function presetOf(kind: string): ProviderPreset | null {
  return presets.get(kind) ?? null;
}
