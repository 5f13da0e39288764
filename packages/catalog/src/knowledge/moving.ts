/** Names that their authors move on to newer weights, by author where `-latest` does not say it. */
const moving: readonly (readonly [author: string | null, name: RegExp, source: string])[] = [
  [null, /-latest$/, "the authors' lists of models"],
  ["deepseek", /^deepseek-(chat|reasoner)$/, "https://api-docs.deepseek.com/quick_start/pricing"],
  [
    "alibaba",
    /^(qwen-(plus|max|turbo|flash|vl-max|vl-plus)|qwq-plus)$/,
    "https://www.alibabacloud.com/help/en/model-studio/models: each with the dated releases it has stood for",
  ],
];

/**
 * Whether a name means other weights from time to time. At anybody but its author it may still mean older ones, so that being
 * called so proves nothing.
 */
export function movesOn(author: string, name: string): boolean {
  return moving.some(([by, pattern]) => (by === null || by === author) && pattern.test(name));
}
