import { claudeWays, type ClaudeWays } from "../anthropic-messages/claude.ts";

/** How JSON of a given shape is asked for. `tool`: by a tool that the model has to call with it. */
type SchemaWay = "native" | "tool";

/** How a model is told to reason. `budget` and `adaptive`: Claude, before and since 4.6. */
type ReasoningWay = "budget" | "adaptive" | "nova" | "effort" | "none";

/** What the models behind Converse take, where they differ: by family, since Converse itself says nothing of it. */
export interface ModelWays {
  /** Its parameters beyond those of `inferenceConfig`, where it has them: the way to `top_k`. Null: it has none. */
  readonly topK: readonly string[] | null;
  readonly reasoning: ReasoningWay;
  readonly schemas: SchemaWay;
  /** Tools may be declared strict. */
  readonly strictTools: boolean;
  /** Prompt-cache marks: anywhere, or not among the tools. */
  readonly caches: "all" | "not_tools" | "none";
  /** A mark may say for how long. */
  readonly cacheTtl: boolean;
  /** Results of tools may say that the tool failed. */
  readonly toolStatus: boolean;
  readonly claude: ClaudeWays | null;
}

const plain: ModelWays = {
  topK: null,
  reasoning: "none",
  // https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html lists most open models since 2025.
  schemas: "native",
  strictTools: true,
  caches: "none",
  cacheTtl: false,
  toolStatus: false,
  claude: null,
};

/** Families by what their ids and names have in them. */
const families: readonly (readonly [is: RegExp, ways: ModelWays])[] = [
  [
    // https://docs.aws.amazon.com/nova/latest/userguide/using-converse-api.html, and prompt-caching.html for what is cached
    /(?:^|[./])nova-/,
    {
      ...plain,
      topK: ["inferenceConfig", "topK"],
      schemas: "tool",
      strictTools: false,
      caches: "not_tools",
      toolStatus: true,
    },
  ],
  // https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-openai.html: OpenAI's own names, passed through
  [/(?:^|[./])gpt-/, { ...plain, reasoning: "effort" }],
  // Those of 2024 answer with prose around their JSON; what came later is listed for structured outputs.
  [/mistral-(?:7b|large-24|small-24)|mixtral/, { ...plain, topK: ["top_k"], schemas: "tool", strictTools: false }],
  [/(?:mi|mini|magi|devs|pix|vox)(?:stral|tral)/, { ...plain, topK: ["top_k"] }],
  // https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-cohere-command-r-plus.html
  [/command-r/, { ...plain, topK: ["k"], schemas: "tool", strictTools: false }],
];

/** Nova reasons since its second generation (https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html). */
const reasoningNova = /(?:^|[./])nova-(?:2|[3-9])/;

/**
 * @param id the provider's: `anthropic.claude-sonnet-4-5-20250929-v1:0`, `eu.amazon.nova-pro-v1:0`, or an ARN that says nothing
 * @param canonical the model's own name, which says it where an ARN does not
 */
export function waysOf(id: string, canonical: string): ModelWays {
  for (const name of [id.toLowerCase(), canonical.toLowerCase()]) {
    if (name.includes("claude")) return claudeModel(name);
    for (const [is, ways] of families) {
      if (is.test(name)) return reasoningNova.test(name) ? { ...ways, reasoning: "nova" } : ways;
    }
  }
  return plain;
}

function claudeModel(name: string): ModelWays {
  const claude = claudeWays(name);
  return {
    topK: ["top_k"],
    reasoning: claude.adaptive ? "adaptive" : "budget",
    schemas: claude.schemas ? "native" : "tool",
    strictTools: claude.schemas,
    caches: "all",
    cacheTtl: claude.schemas,
    toolStatus: true,
    claude,
  };
}
