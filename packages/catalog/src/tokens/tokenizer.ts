/** Families of tokenizers that can be counted with here. */
export const tokenizers = ["o200k", "cl100k"] as const;
export type Tokenizer = (typeof tokenizers)[number];

/** How many tokens a text has. */
export type CountTokens = (text: string) => number;

/** A run of one character takes a tokenizer time that grows with the square of its length: 56 ms for 1,024 Chinese ones. */
const sliceLength = 1024;
/** Text beyond this many slices is judged by as many of them, evenly spread. */
const maxSlices = 64;

/**
 * Loads a tokenizer. That takes some 200 ms and 60 MB, and counting can take a second for a hostile text: only ever on a thread
 * of its own.
 */
export async function loadTokenizer(tokenizer: Tokenizer): Promise<CountTokens> {
  const { countTokens } =
    tokenizer === "o200k"
      ? await import("gpt-tokenizer/encoding/o200k_base")
      : await import("gpt-tokenizer/encoding/cl100k_base");
  // What looks like a control token in a prompt is text.
  const options = { disallowedSpecial: new Set<string>() };
  return (text) => countSlices(text, (slice) => countTokens(slice, options));
}

/** Counts slice by slice. A cut costs at most one token, one in some 250. */
export function countSlices(text: string, countSlice: CountTokens): number {
  const slices = Math.ceil(text.length / sliceLength);
  const taken = Math.min(slices, maxSlices);
  let tokens = 0;
  let characters = 0;
  for (let index = 0; index < taken; index++) {
    const start = Math.floor((index * slices) / taken) * sliceLength;
    const slice = text.slice(start, start + sliceLength);
    tokens += countSlice(slice);
    characters += slice.length;
  }
  return taken === slices ? tokens : Math.round((tokens * text.length) / characters);
}
