/**
 * How models are called here, where the source calls them otherwise. Everything else keeps the source's name in lower case,
 * without `-instruct` or `-it` at its end where no other model has what is left.
 */
interface Naming {
  readonly name: string;
  /** Names of the same model that no rule would find. */
  readonly also?: readonly string[];
}

/**
 * By the source's name, without its author. The dated name of an Anthropic release and its name without the date are one model:
 * https://docs.anthropic.com/en/docs/about-claude/models lists each such alias with the one release it stands for.
 */
export const namings: Readonly<Record<string, Naming>> = {
  "claude-3-5-haiku-20241022": { name: "claude-3-5-haiku", also: ["claude-3.5-haiku", "claude-3-5-haiku-latest"] },
  "claude-3-7-sonnet-20250219": { name: "claude-3-7-sonnet", also: ["claude-3.7-sonnet", "claude-3-7-sonnet-latest"] },
  "claude-opus-4-0": { name: "claude-opus-4" },
  "claude-opus-4-20250514": { name: "claude-opus-4" },
  "claude-opus-4-1-20250805": { name: "claude-opus-4-1" },
  "claude-opus-4-5-20251101": { name: "claude-opus-4-5" },
  "claude-sonnet-4-0": { name: "claude-sonnet-4" },
  "claude-sonnet-4-20250514": { name: "claude-sonnet-4" },
  "claude-sonnet-4-5-20250929": { name: "claude-sonnet-4-5" },
  "claude-haiku-4-5-20251001": { name: "claude-haiku-4-5" },
  // https://www.llama.com/docs/model-cards-and-prompt-formats/llama4: 16 and 128 experts, one size of each.
  // Without -instruct, meta-llama's repositories hold the base models.
  "llama-4-scout-17b-instruct": {
    name: "llama-4-scout",
    also: ["llama-4-scout-17b-16e-instruct"],
  },
  "llama-4-maverick-17b-instruct": {
    name: "llama-4-maverick",
    also: ["llama-4-maverick-17b-128e-instruct"],
  },
  "qwen2-5-vl-72b-instruct": { name: "qwen2.5-vl-72b" },
  // https://docs.mistral.ai/getting-started/models: the dated name and the name of the generation are one release.
  "mistral-large-2512": { name: "mistral-large-2512", also: ["mistral-large-3-675b-instruct"] },
  "mistral-medium-2505": { name: "mistral-medium-2505", also: ["mistral-medium-3-instruct"] },
  "mistral-medium-2604": { name: "mistral-medium-2604", also: ["mistral-medium-3.5-128b"] },
  "mistral-small-2506": { name: "mistral-small-2506", also: ["mistral-small-3.2-24b-instruct-2506"] },
  "mistral-nemo": { name: "mistral-nemo", also: ["mistral-nemo-instruct-2407"] },
  "pixtral-12b": { name: "pixtral-12b", also: ["pixtral-12b-2409"] },
  // Repositories at https://huggingface.co/nvidia; Bedrock (…-super-3-120b) and Workers AI (nemotron-3-120b-a12b) name the one of that size.
  "llama-3.1-nemotron-ultra-253b": {
    name: "llama-3.1-nemotron-ultra-253b",
    also: ["llama-3.1-nemotron-ultra-253b-v1"],
  },
  "llama-3.1-nemotron-70b-instruct": { name: "llama-3.1-nemotron-70b", also: ["llama-3.1-nemotron-70b-instruct-hf"] },
  "nemotron-nano-9b-v2": { name: "nemotron-nano-9b-v2", also: ["nvidia-nemotron-nano-9b-v2"] },
  "nemotron-3-nano-30b-a3b": {
    name: "nemotron-3-nano-30b-a3b",
    also: ["nvidia-nemotron-3-nano-30b-a3b", "nemotron-nano-3-30b"],
  },
  "nemotron-3-super-120b-a12b": {
    name: "nemotron-3-super-120b-a12b",
    also: ["nvidia-nemotron-3-super-120b-a12b", "nemotron-super-3-120b", "nemotron-3-120b-a12b"],
  },
  "nemotron-3-ultra-550b-a55b": { name: "nemotron-3-ultra-550b-a55b", also: ["nvidia-nemotron-3-ultra-550b-a55b"] },
};
