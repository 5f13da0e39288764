import type { ContinuationWay } from "@tuloy/contract";

/**
 * A way of asking a server to go on with an answer that broke off, as data. In each the answer so far becomes a last assistant
 * message, without the white space at its end: a model reads "so " otherwise than it writes it.
 */
export interface Continuation {
  readonly way: ContinuationWay;
  /** Members that this message has besides its role and content. */
  readonly message: Readonly<Record<string, true>>;
  /** Members that the request has besides its own. */
  readonly body: Readonly<Record<string, boolean>>;
  /** In place of the base URL's own path, or null. */
  readonly basePath: string | null;
  /** Its answer begins with what it was given. */
  readonly echoes: boolean;
  /** Why this row is here: the server's page or the observed answer. */
  readonly because: string;
}

const plain = { message: {}, body: {}, basePath: null, echoes: false } as const;

const ways: Readonly<Record<Exclude<ContinuationWay, "none">, Continuation>> = {
  "assistant-prefix": {
    ...plain,
    way: "assistant-prefix",
    because: "llama.cpp and Groq go on from a last assistant message without being asked to",
  },
  vllm: {
    ...plain,
    way: "vllm",
    body: { continue_final_message: true, add_generation_prompt: false },
    because:
      "vLLM and SGLang would otherwise close the last message and open a new one; the two flags exclude each other",
  },
  deepseek: {
    ...plain,
    way: "deepseek",
    message: { prefix: true },
    basePath: "/beta",
    because: "chat prefix completion exists under the beta address only",
  },
  mistral: {
    ...plain,
    way: "mistral",
    message: { prefix: true },
    echoes: true,
    because: "a last assistant message without the flag is refused, and the answer repeats it",
  },
};

/** The row of a way, or null for `none`. */
export function continuationOf(way: ContinuationWay): Continuation | null {
  return way === "none" ? null : ways[way];
}
