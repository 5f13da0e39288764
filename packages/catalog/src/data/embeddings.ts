/**
 * The well-known embedding models. Each group says where its dimensions, lengths and normalisation are from. Prices of the
 * authors' own services are from the same pages; those of others, and their ids, are from the price lists of LiteLLM 1.109 and
 * genai-prices 0.1.8 (both MIT licence; see NOTICE), and are left out where the two say nothing.
 *
 * Two vectors can be compared only when they are of one model, equally long and equally scaled, so a link here is of the
 * model's own weights, never of a tuned or shortened variant.
 */
import type { ModelRow, OfferRow } from "../data-rows.ts";

interface Vectors {
  readonly dimensions: number;
  readonly normalized: boolean | null;
  readonly context: number;
}

type Rest = Partial<Pick<ModelRow, "tokenizer" | "family" | "verified" | "quirks" | "open">>;

function embedding(
  author: string,
  name: string,
  title: string,
  { dimensions, normalized, context }: Vectors,
  aliases: readonly string[] = [],
  rest: Rest = {},
): ModelRow {
  const all = [...new Set([`${author}/${name}`, ...aliases])];
  return { name, author, title, aliases: all, embeds: { dimensions, normalized }, context, ...rest };
}

/** https://platform.openai.com/docs/guides/embeddings: "embeddings are normalized to length 1". */
const cl100k = { tokenizer: "cl100k", family: "cl100k" } as const;
const openai = [
  embedding("openai", "text-embedding-3-small", "Text Embedding 3 Small", unit(1536, 8192), [], cl100k),
  embedding("openai", "text-embedding-3-large", "Text Embedding 3 Large", unit(3072, 8192), [], cl100k),
  embedding("openai", "text-embedding-ada-002", "Text Embedding Ada 002", unit(1536, 8192), [], cl100k),
];

/** https://docs.cohere.com/docs/cohere-embed: dimensions and lengths; of the vectors' length it says nothing. */
const cohereVerified = { family: "cohere", verified: "2026-11-24" } as const;
const cohere = [
  embedding("cohere", "embed-v4.0", "Embed v4", free(1536, 128_000), [], cohereVerified),
  embedding("cohere", "embed-english-v3.0", "Embed English v3", free(1024, 512), ["embed-english-v3"], cohereVerified),
  embedding(
    "cohere",
    "embed-multilingual-v3.0",
    "Embed Multilingual v3",
    free(1024, 512),
    ["embed-multilingual-v3"],
    cohereVerified,
  ),
  embedding("cohere", "embed-english-light-v3.0", "Embed English Light v3", free(384, 512), [], cohereVerified),
  embedding(
    "cohere",
    "embed-multilingual-light-v3.0",
    "Embed Multilingual Light v3",
    free(384, 512),
    [],
    cohereVerified,
  ),
];

/** https://docs.voyageai.com/docs/embeddings for lengths; https://docs.voyageai.com/docs/faq: "normalized to length 1". */
const voyageVerified = { verified: "2026-11-24" } as const;
const shared = {
  verified: "2026-11-24",
  quirks: ["Vectors of voyage-4-large, voyage-4 and voyage-4-lite can be compared with each other."],
};
const voyage = [
  embedding("voyage", "voyage-4-large", "Voyage 4 Large", unit(1024, 32_000), [], shared),
  embedding("voyage", "voyage-4", "Voyage 4", unit(1024, 32_000), [], shared),
  embedding("voyage", "voyage-4-lite", "Voyage 4 Lite", unit(1024, 32_000), [], shared),
  embedding("voyage", "voyage-3.5", "Voyage 3.5", unit(1024, 32_000), [], voyageVerified),
  embedding("voyage", "voyage-3.5-lite", "Voyage 3.5 Lite", unit(1024, 32_000), [], voyageVerified),
  embedding("voyage", "voyage-3-large", "Voyage 3 Large", unit(1024, 32_000), [], voyageVerified),
  embedding("voyage", "voyage-3", "Voyage 3", unit(1024, 32_000), [], voyageVerified),
  embedding("voyage", "voyage-3-lite", "Voyage 3 Lite", unit(512, 32_000), [], voyageVerified),
  embedding("voyage", "voyage-code-3", "Voyage Code 3", unit(1024, 32_000), [], voyageVerified),
  embedding("voyage", "voyage-finance-2", "Voyage Finance 2", unit(1024, 32_000), [], voyageVerified),
  embedding("voyage", "voyage-law-2", "Voyage Law 2", unit(1024, 16_000), [], voyageVerified),
];

/** https://ai.google.dev/gemini-api/docs/embeddings: full-length vectors are normalized, shortened ones are not. */
const shortened = { family: "gemini", quirks: ["Only vectors of full length are normalized; shortened ones are not."] };
const google = [
  embedding("google", "gemini-embedding-001", "Gemini Embedding 001", unit(3072, 2048), [], shortened),
  embedding("google", "gemini-embedding-2", "Gemini Embedding 2", free(3072, 8192), [], { family: "gemini" }),
  // https://cloud.google.com/vertex-ai/generative-ai/docs/embeddings/get-text-embeddings
  embedding("google", "text-embedding-005", "Text Embedding 005", free(768, 2048)),
  embedding("google", "text-multilingual-embedding-002", "Text Multilingual Embedding 002", free(768, 2048)),
];

/** https://docs.mistral.ai/capabilities/embeddings: mistral-embed has 1024 dimensions and norm 1; codestral-embed 1536 unasked. */
const mistral = [
  embedding(
    "mistral",
    "mistral-embed",
    "Mistral Embed",
    unit(1024, 8192),
    ["mistral-embed-2312", "mistralai/mistral-embed-2312"],
    { family: "mistral" },
  ),
  embedding(
    "mistral",
    "codestral-embed",
    "Codestral Embed",
    free(1536, 8192),
    ["codestral-embed-2505", "mistralai/codestral-embed-2505"],
    { family: "mistral" },
  ),
];

/** https://jina.ai/embeddings and the models' cards at https://huggingface.co/jinaai. Its service normalizes unless told not to. */
const openWeights = { open: true } as const;
const jina = [
  embedding(
    "jina",
    "jina-embeddings-v4",
    "Jina Embeddings v4",
    free(2048, 32_768),
    ["jinaai/jina-embeddings-v4"],
    openWeights,
  ),
  embedding(
    "jina",
    "jina-embeddings-v3",
    "Jina Embeddings v3",
    unit(1024, 8192),
    ["jinaai/jina-embeddings-v3"],
    openWeights,
  ),
  embedding(
    "jina",
    "jina-embeddings-v2-base-en",
    "Jina Embeddings v2 Base English",
    free(768, 8192),
    ["jinaai/jina-embeddings-v2-base-en"],
    openWeights,
  ),
];

/**
 * The cards and the `modules.json` of each at https://huggingface.co: those of BGE, E5-instruct and Qwen3 end in a step that
 * normalizes; where there is none, what a server does is unknown.
 */
const opened = [
  embedding("baai", "bge-m3", "BGE-M3", unit(1024, 8192), ["BAAI/bge-m3"], openWeights),
  embedding(
    "baai",
    "bge-large-en-v1.5",
    "BGE Large English v1.5",
    unit(1024, 512),
    ["BAAI/bge-large-en-v1.5"],
    openWeights,
  ),
  embedding(
    "baai",
    "bge-base-en-v1.5",
    "BGE Base English v1.5",
    unit(768, 512),
    ["BAAI/bge-base-en-v1.5"],
    openWeights,
  ),
  embedding(
    "baai",
    "bge-small-en-v1.5",
    "BGE Small English v1.5",
    unit(384, 512),
    ["BAAI/bge-small-en-v1.5"],
    openWeights,
  ),
  embedding(
    "baai",
    "bge-multilingual-gemma2",
    "BGE Multilingual Gemma2",
    unit(3584, 8192),
    ["BAAI/bge-multilingual-gemma2"],
    openWeights,
  ),
  embedding("intfloat", "multilingual-e5-large", "Multilingual E5 Large", unit(1024, 512), [], openWeights),
  embedding(
    "intfloat",
    "multilingual-e5-large-instruct",
    "Multilingual E5 Large Instruct",
    unit(1024, 512),
    [],
    openWeights,
  ),
  embedding("intfloat", "e5-large-v2", "E5 Large v2", unit(1024, 512), [], openWeights),
  embedding("intfloat", "e5-mistral-7b-instruct", "E5 Mistral 7B Instruct", unit(4096, 32_768), [], openWeights),
  embedding(
    "nomic",
    "nomic-embed-text-v1.5",
    "Nomic Embed Text v1.5",
    free(768, 8192),
    ["nomic-ai/nomic-embed-text-v1.5"],
    openWeights,
  ),
  embedding("thenlper", "gte-large", "GTE Large", unit(1024, 512), [], openWeights),
  embedding("thenlper", "gte-base", "GTE Base", unit(768, 512), [], openWeights),
  embedding(
    "alibaba",
    "gte-large-en-v1.5",
    "GTE Large English v1.5",
    free(1024, 8192),
    ["Alibaba-NLP/gte-large-en-v1.5"],
    {
      open: true,
    },
  ),
  embedding("alibaba", "qwen3-embedding-8b", "Qwen3 Embedding 8B", unit(4096, 32_768), ["Qwen/Qwen3-Embedding-8B"], {
    open: true,
    family: "qwen",
  }),
  embedding("alibaba", "qwen3-embedding-4b", "Qwen3 Embedding 4B", unit(2560, 32_768), ["Qwen/Qwen3-Embedding-4B"], {
    open: true,
    family: "qwen",
  }),
  embedding(
    "alibaba",
    "qwen3-embedding-0.6b",
    "Qwen3 Embedding 0.6B",
    unit(1024, 32_768),
    ["Qwen/Qwen3-Embedding-0.6B"],
    {
      open: true,
      family: "qwen",
    },
  ),
  // https://docs.aws.amazon.com/bedrock/latest/userguide/titan-embedding-models.html: 1024 and normalized unless asked otherwise.
  embedding("amazon", "titan-embed-text-v2", "Titan Text Embeddings V2", unit(1024, 8192)),
];

export const embeddings: readonly ModelRow[] = [
  ...openai,
  ...cohere,
  ...voyage,
  ...google,
  ...mistral,
  ...jina,
  ...opened,
];

/** Vectors of length 1. */
function unit(dimensions: number, context: number): Vectors {
  return { dimensions, normalized: true, context };
}

/** Vectors whose length nobody promises. */
function free(dimensions: number, context: number): Vectors {
  return { dimensions, normalized: null, context };
}

/** By kind of provider. */
export const embeddingOffers: Readonly<Record<string, readonly OfferRow[]>> = {
  openai: [
    ["text-embedding-3-small", "text-embedding-3-small", "author", [0.02, 0]],
    ["text-embedding-3-large", "text-embedding-3-large", "author", [0.13, 0]],
    ["text-embedding-ada-002", "text-embedding-ada-002", "author", [0.1, 0]],
  ],
  azure: [
    ["text-embedding-3-small", "text-embedding-3-small", "id", [0.022, 0]],
    ["text-embedding-3-large", "text-embedding-3-large", "id", [0.143, 0]],
    ["text-embedding-ada-002", "text-embedding-ada-002", "id", [0.11, 0]],
    // The lists disagree about how long its vectors are here, so it is no twin.
    ["embed-v4.0", "embed-v-4-0", "name", [0.12, 0]],
  ],
  cohere: [
    ["embed-v4.0", "embed-v4.0", "author", [0.12, 0]],
    ["embed-english-v3.0", "embed-english-v3.0", "author", [0.1, 0]],
    ["embed-multilingual-v3.0", "embed-multilingual-v3.0", "author", [0.1, 0]],
    ["embed-english-light-v3.0", "embed-english-light-v3.0", "author", [0.1, 0]],
    ["embed-multilingual-light-v3.0", "embed-multilingual-light-v3.0", "author", null],
  ],
  bedrock: [
    ["embed-v4.0", "cohere.embed-v4:0", "id", [0.12, 0]],
    ["embed-english-v3.0", "cohere.embed-english-v3", "id", [0.1, 0]],
    ["embed-multilingual-v3.0", "cohere.embed-multilingual-v3", "id", [0.1, 0]],
    ["titan-embed-text-v2", "amazon.titan-embed-text-v2:0", "id", [0.02, 0]],
  ],
  voyage: [
    ["voyage-4-large", "voyage-4-large", "author", [0.12, 0]],
    ["voyage-4", "voyage-4", "author", [0.06, 0]],
    ["voyage-4-lite", "voyage-4-lite", "author", [0.02, 0]],
    ["voyage-3.5", "voyage-3.5", "author", [0.06, 0]],
    ["voyage-3.5-lite", "voyage-3.5-lite", "author", [0.02, 0]],
    ["voyage-3-large", "voyage-3-large", "author", [0.18, 0]],
    ["voyage-3", "voyage-3", "author", [0.06, 0]],
    ["voyage-3-lite", "voyage-3-lite", "author", [0.02, 0]],
    ["voyage-code-3", "voyage-code-3", "author", [0.18, 0]],
    ["voyage-finance-2", "voyage-finance-2", "author", [0.12, 0]],
    ["voyage-law-2", "voyage-law-2", "author", [0.12, 0]],
  ],
  gemini: [
    ["gemini-embedding-001", "gemini-embedding-001", "author", [0.15, 0]],
    ["gemini-embedding-2", "gemini-embedding-2", "author", [0.2, 0]],
  ],
  vertex: [
    ["gemini-embedding-001", "gemini-embedding-001", "author", [0.15, 0]],
    ["gemini-embedding-2", "gemini-embedding-2", "author", [0.2, 0]],
    ["text-embedding-005", "text-embedding-005", "author", [0.1, 0]],
    ["text-multilingual-embedding-002", "text-multilingual-embedding-002", "author", [0.1, 0]],
  ],
  mistral: [
    ["mistral-embed", "mistral-embed", "author", [0.1, 0]],
    ["codestral-embed", "codestral-embed", "author", [0.15, 0]],
  ],
  jina: [
    ["jina-embeddings-v4", "jina-embeddings-v4", "author", null],
    ["jina-embeddings-v3", "jina-embeddings-v3", "author", null],
    ["jina-embeddings-v2-base-en", "jina-embeddings-v2-base-en", "author", null],
  ],
  // https://openrouter.ai/models?output_modalities=embeddings: the authors' prices, or those of the cheapest host.
  openrouter: [
    ["text-embedding-3-small", "openai/text-embedding-3-small", "id", [0.02, 0]],
    ["text-embedding-3-large", "openai/text-embedding-3-large", "id", [0.13, 0]],
    ["text-embedding-ada-002", "openai/text-embedding-ada-002", "id", [0.1, 0]],
    ["gemini-embedding-001", "google/gemini-embedding-001", "id", [0.15, 0]],
    ["mistral-embed", "mistralai/mistral-embed-2312", "id", [0.1, 0]],
    ["codestral-embed", "mistralai/codestral-embed-2505", "id", [0.15, 0]],
    ["bge-m3", "baai/bge-m3", "id", null],
    ["qwen3-embedding-8b", "qwen/qwen3-embedding-8b", "id", null],
    ["qwen3-embedding-4b", "qwen/qwen3-embedding-4b", "id", null],
    ["gte-base", "thenlper/gte-base", "id", null],
  ],
  // https://deepinfra.com/models/embeddings
  deepinfra: [
    ["bge-m3", "BAAI/bge-m3", "id", null],
    ["bge-large-en-v1.5", "BAAI/bge-large-en-v1.5", "id", null],
    ["bge-base-en-v1.5", "BAAI/bge-base-en-v1.5", "id", null],
    ["multilingual-e5-large", "intfloat/multilingual-e5-large", "id", null],
    ["multilingual-e5-large-instruct", "intfloat/multilingual-e5-large-instruct", "id", null],
    ["e5-large-v2", "intfloat/e5-large-v2", "id", null],
    ["gte-large", "thenlper/gte-large", "id", null],
    ["gte-base", "thenlper/gte-base", "id", null],
    ["qwen3-embedding-8b", "Qwen/Qwen3-Embedding-8B", "id", null],
    ["qwen3-embedding-4b", "Qwen/Qwen3-Embedding-4B", "id", null],
    ["qwen3-embedding-0.6b", "Qwen/Qwen3-Embedding-0.6B", "id", null],
  ],
  nebius: [
    ["qwen3-embedding-8b", "Qwen/Qwen3-Embedding-8B", "id", [0.01, 0]],
    ["bge-multilingual-gemma2", "BAAI/bge-multilingual-gemma2", "id", [0.01, 0]],
    ["e5-mistral-7b-instruct", "intfloat/e5-mistral-7b-instruct", "id", [0.01, 0]],
  ],
  novita: [
    ["bge-m3", "baai/bge-m3", "id", [0.01, 0]],
    ["qwen3-embedding-8b", "qwen/qwen3-embedding-8b", "id", [0.07, 0]],
    ["qwen3-embedding-0.6b", "qwen/qwen3-embedding-0.6b", "id", [0.07, 0]],
  ],
  fireworks: [
    ["qwen3-embedding-8b", "accounts/fireworks/models/qwen3-embedding-8b", "id", [0.1, 0]],
    ["nomic-embed-text-v1.5", "nomic-ai/nomic-embed-text-v1.5", "id", [0.008, 0]],
    ["gte-large", "thenlper/gte-large", "id", [0.016, 0]],
    ["gte-base", "thenlper/gte-base", "id", [0.008, 0]],
  ],
  together: [["bge-base-en-v1.5", "BAAI/bge-base-en-v1.5", "id", [0.008, 0]]],
  cloudflare: [
    ["bge-m3", "@cf/baai/bge-m3", "id", [0.012, 0]],
    // https://developers.cloudflare.com/workers-ai/models/bge-base-en-v1.5: unasked it pools by the mean, and others by the first token;
    // the two can't be compared.
    ["bge-large-en-v1.5", "@cf/baai/bge-large-en-v1.5", "name", [0.204, 0]],
    ["bge-base-en-v1.5", "@cf/baai/bge-base-en-v1.5", "name", [0.067, 0]],
    ["bge-small-en-v1.5", "@cf/baai/bge-small-en-v1.5", "name", [0.02, 0]],
    ["qwen3-embedding-0.6b", "@cf/qwen/qwen3-embedding-0.6b", "id", [0.012, 0]],
  ],
  // https://docs.databricks.com/aws/en/machine-learning/foundation-model-apis/supported-models names the weights behind each.
  databricks: [
    ["bge-large-en-v1.5", "databricks-bge-large-en", "database", [0.1, 0]],
    ["gte-large-en-v1.5", "databricks-gte-large-en", "database", [0.13, 0]],
    ["qwen3-embedding-0.6b", "databricks-qwen3-embedding-0-6b", "id", [0.02, 0]],
  ],
};
