/** What a person who moves to a model should know, and which parameters its own author refuses. */
interface Quirk {
  /** Of the author; absent: of anybody. */
  readonly author?: string;
  readonly name: RegExp;
  readonly says: string;
  /** The page that says so. */
  readonly source: string;
}

const quirks: readonly Quirk[] = [
  {
    author: "anthropic",
    name: /^claude-(fable|sonnet-(4-6|[5-9])|opus-4-[6-9])/,
    says: "A last assistant message is answered with 400: a broken answer can't be continued from it.",
    source: "https://docs.anthropic.com/en/docs/build-with-claude/prefill-claudes-response",
  },
  {
    author: "anthropic",
    name: /^claude-(fable-5|opus-4-[78]|sonnet-5)/,
    says: "Refuses temperature, top_p and top_k.",
    source: "https://docs.anthropic.com/en/docs/about-claude/models",
  },
  {
    author: "anthropic",
    name: /^claude-/,
    says: "Takes no temperature above 1, no n and no logprobs; a limit on the answer is required in its own dialect.",
    source: "https://docs.anthropic.com/en/api/messages",
  },
  {
    author: "openai",
    name: /^(o\d|gpt-5(?!.*chat-latest|.*instant))/,
    says: "Reasons unseen before it answers; the limit on the answer counts the reasoning too.",
    source: "https://platform.openai.com/docs/guides/reasoning",
  },
  {
    author: "openai",
    name: /^(o\d|gpt-5(-mini|-nano|-codex|-pro)?$)/,
    says: "Takes no sampling parameters.",
    source: "https://platform.openai.com/docs/guides/reasoning",
  },
  {
    author: "openai",
    name: /-pro$|codex|deep-research$/,
    says: "OpenAI itself serves it by the Responses API only.",
    source: "https://platform.openai.com/docs/models",
  },
  {
    author: "google",
    name: /^gemini-(2\.5|3)/,
    says: "Thinks unseen unless told not to; the thinking is charged as output.",
    source: "https://ai.google.dev/gemini-api/docs/thinking",
  },
  {
    author: "deepseek",
    name: /^deepseek-r1$/,
    says: "Reasons before each answer and shows it; a prompt with a system message does worse.",
    source: "https://huggingface.co/deepseek-ai/DeepSeek-R1",
  },
  {
    author: "deepseek",
    name: /^deepseek-(chat|reasoner)$/,
    says: "A name that moves to newer weights.",
    source: "https://api-docs.deepseek.com/quick_start/pricing",
  },
  {
    name: /-latest$/,
    says: "A name that moves to newer weights.",
    source: "the authors' lists of models",
  },
  {
    author: "openai",
    name: /^gpt-oss/,
    says: "Trained on the harmony format: a server without it mixes reasoning into the answer.",
    source: "https://github.com/openai/harmony",
  },
  {
    author: "mistral",
    name: /^mistral|^codestral|^devstral|^magistral|^pixtral/,
    says: "Ids of tool calls must be nine letters or digits.",
    source: "https://docs.mistral.ai/capabilities/function_calling",
  },
  {
    author: "alibaba",
    name: /^qwen3-(32b|235b-a22b)$/,
    says: "Thinks or not as asked (enable_thinking); servers differ in what they do when not asked.",
    source: "https://huggingface.co/Qwen/Qwen3-32B",
  },
  {
    author: "perplexity",
    name: /^sonar/,
    says: "Searches the web for each answer; takes no tools.",
    source: "https://docs.perplexity.ai/docs/model-cards",
  },
];

/** Reasoning models take the limit only as `max_completion_tokens` (https://platform.openai.com/docs/guides/reasoning). */
const reasons = ["max_tokens"];
/** The first of them take no sampling parameters either; later ones do at effort `none`, so they judge for themselves. */
const reasonsAlways = [...reasons, "temperature", "top_p", "presence_penalty", "frequency_penalty", "logit_bias"];
/** https://platform.openai.com/docs/api-reference/chat/create: `stop` is not taken by o3 and o4-mini, nor `parallel_tool_calls` by the o series. */
const oSeries = [...reasonsAlways, "parallel_tool_calls"];
/** The others refuse what only reasoning models understand. */
const plain = ["reasoning_effort", "verbosity"];

const refusals: readonly (readonly [author: string, name: RegExp, refuses: readonly string[]])[] = [
  ["openai", /^gpt-oss/, []],
  ["openai", /^(o3|o4-mini)(-|$)(?!mini)/, [...oSeries, "stop"]],
  ["openai", /^o\d/, oSeries],
  ["openai", /^gpt-5(-mini|-nano|-pro|-codex)?$/, reasonsAlways],
  ["openai", /^gpt-5\.3-chat-latest$|^gpt-5\.5-instant$|^gpt-5-chat-latest$/, []],
  ["openai", /^gpt-5/, reasons],
  ["openai", /^gpt-[34]/, plain],
  // https://docs.anthropic.com/en/docs/about-claude/models: these sample as they see fit.
  ["anthropic", /^claude-(fable-5|opus-4-[78]|sonnet-5)/, ["temperature", "top_p", "top_k"]],
];

export function quirksOf(author: string, name: string): string[] {
  return quirks.flatMap((quirk) =>
    (quirk.author === undefined || quirk.author === author) && quirk.name.test(name) ? [quirk.says] : [],
  );
}

/** Parameters that the model's author answers with 400. */
export function refusalsOf(author: string, name: string): readonly string[] {
  return refusals.find(([by, pattern]) => by === author && pattern.test(name))?.[2] ?? [];
}
