import type { Quantization } from "@tuloy/contract";

/** What a part of an id says beside the model's name. */
export interface Says {
  readonly region?: string;
  readonly quantization?: Quantization;
  /** It is not simply the model. */
  readonly variant?: string;
  /** It is the model; a person may want to know. */
  readonly note?: string;
}

/** A part that may stand before or behind the name, with what it says. The reason is beside each row. */
export interface IdRule {
  /** Anchored; what it matches is taken away. */
  readonly pattern: RegExp;
  readonly says: (matched: RegExpExecArray) => Says;
  /** What is left, as others write it. */
  readonly respell?: (rest: string) => string;
  readonly because: string;
}

const nothing = (): Says => ({});

/** Regions of Bedrock's inference profiles, as regions are called in the configuration. */
const profileRegions: Readonly<Record<string, string>> = {
  us: "us",
  "us-gov": "us-gov",
  eu: "eu",
  apac: "ap",
  jp: "jp",
  au: "au",
  ca: "ca",
  global: "global",
};

/** Tried again and again from the first on, until none matches: wrappers hold wrappers. */
export const prefixRules: readonly IdRule[] = [
  {
    pattern: /^arn:aws[a-z-]*:bedrock:([a-z0-9-]*):\d*:(?:foundation-model|inference-profile)\//,
    says: ([, region]) => (region ? { region } : {}),
    because: "https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html",
  },
  {
    pattern: /^(us-gov|us|eu|apac|jp|au|ca|global)\.(?=[a-z]+\.)/,
    says: ([, profile = ""]) => ({ region: profileRegions[profile] ?? profile }),
    because: "Bedrock's cross-region inference profiles name where they compute; global: anywhere",
  },
  {
    pattern: /^projects\/[^/]+\/locations\/([^/]+)\//,
    says: ([, region = ""]) => ({ region }),
    because: "Vertex AI's full resource names",
  },
  { pattern: /^publishers\/[^/]+\/models\//, says: nothing, because: "Vertex AI's model garden" },
  {
    pattern: /^accounts\/fireworks\/models\//,
    says: nothing,
    respell: (name) => name.replace(/(\d)p(\d)/g, "$1.$2").replace(/^llama-v(?=\d)/, "llama-"),
    because:
      "Fireworks puts the account before each id, and writes 3.3 as 3p3: llama-v3p3-70b-instruct; in other accounts lies what customers tuned",
  },
  { pattern: /^models\//, says: nothing, because: "the Gemini API's resource names" },
  { pattern: /^@(?:cf|hf)\//, says: nothing, because: "Workers AI: Cloudflare's own and Hugging Face's models" },
  { pattern: /^hf:/, says: nothing, because: "Hugging Face repositories, as some providers write them" },
  { pattern: /^databricks-/, says: nothing, because: "Databricks' foundation model endpoints" },
];

const precisions: Readonly<Record<string, Quantization>> = {
  fp32: "fp32",
  bf16: "bf16",
  fp16: "fp16",
  fp8: "fp8",
  w8a8: "int8",
  int8: "int8",
  "8bit": "int8",
  "6bit": "fp6",
  fp4: "fp4",
  nvfp4: "fp4",
  int4: "int4",
  "4bit": "int4",
  w4a16: "int4",
  awq: "int4",
  gptq: "int4",
};

/** Tried, in this order, only while what is left is not a model's name by itself: `glm-5-turbo` is one. */
export const suffixRules: readonly IdRule[] = [
  {
    pattern: /[:-]free$/,
    says: () => ({ variant: "a free tier: its limits are low, and what it is sent may be kept or trained on" }),
    because: "https://openrouter.ai/docs/faq: free variants have their own limits and providers' own data policies",
  },
  {
    pattern: /:online$/,
    says: () => ({ variant: "searches the web first and charges for it" }),
    because: "https://openrouter.ai/docs/features/web-search",
  },
  {
    pattern: /:thinking$/,
    says: () => ({ variant: "reasons without being asked to" }),
    because: "the same request gets another kind of answer",
  },
  {
    pattern: /:extended$/,
    says: () => ({ variant: "has another window than the model" }),
    because: "OpenRouter's variants with longer context",
  },
  {
    pattern: /:(?:nitro|floor|exacto)$/,
    says: ([tag = ""]) => ({ note: `OpenRouter's ${tag.slice(1)} routing` }),
    because: "https://openrouter.ai/docs/features/provider-routing: the same model, another order of its hosts",
  },
  { pattern: /@(?:default|latest)$/, says: nothing, because: "Vertex AI: whatever version is current" },
  { pattern: /-maas$/, says: nothing, because: "Vertex AI: open models as a service" },
  { pattern: /-\d+:\d+$/, says: nothing, because: "Bedrock's gpt-oss-20b-1:0" },
  { pattern: /:0$/, says: nothing, because: "Bedrock's cohere.embed-v4:0" },
  { pattern: /-v\d+:\d+$/, says: nothing, because: "Bedrock's version of its own wrapping of the model" },
  {
    pattern: /-fp8-(?:fast|tput)$/,
    says: () => ({ quantization: "fp8" }),
    because: "Workers AI's fp8-fast and Together's fp8-tput: speed variants at that precision",
  },
  {
    pattern: /[-_.](fp32|bf16|fp16|fp8|w8a8|int8|8bit|6bit|nvfp4|fp4|int4|4bit|w4a16|awq|gptq)(?:-dynamic)?$/,
    says: ([, precision = ""]) => ({ quantization: precisions[precision] ?? "int4" }),
    because: "how repositories and providers name the precision of weights",
  },
  {
    pattern: /-instruct-turbo$/,
    says: () => ({ quantization: "fp8" }),
    because: "https://docs.together.ai/docs/inference-models: Turbo endpoints of open models are FP8",
  },
  { pattern: /-versatile$/, says: nothing, because: "Groq's llama-3.3-70b-versatile is the instruct model" },
  {
    pattern: /-tee$/,
    says: () => ({ note: "in a trusted execution environment" }),
    because: "Chutes: the same weights in an enclave",
  },
];

/** Some of Bedrock's ids have the first half only. Anywhere else `-v2` is another model. */
export const bedrockVersion: IdRule = {
  pattern: /-v\d+$/,
  says: nothing,
  because: "anthropic.claude-opus-4-6-v1 is claude-opus-4-6",
};

/** A date at the end: a release of the name before it. Which one the name itself means depends on what else the catalog has. */
export const datePattern = /[-@](\d{4}-\d{2}-\d{2}|20\d{6})$/;
