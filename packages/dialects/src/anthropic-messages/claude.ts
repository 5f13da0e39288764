import type { ContinuationWay } from "@tuloy/contract";

/** Which Claude a name means, wherever it is served: `claude-sonnet-4-6`, `anthropic/claude-opus-4.5`, `us.anthropic.claude-3-7-sonnet-20250219-v1:0`. */
export interface ClaudeVersion {
  readonly family: string;
  readonly major: number;
  readonly minor: number;
}

/** `claude-opus-4-5-20251101`: two digits at most are a version, eight are a date. */
const familyFirst = /claude-(opus|sonnet|haiku|fable|mythos)-(\d{1,2})(?:[-.](\d{1,2})(?!\d))?(?!\d)/;
/** `claude-3-7-sonnet-20250219`, until the third generation. */
const versionFirst = /claude-(\d)(?:[-.](\d))?-(opus|sonnet|haiku)/;

/** @returns null for what is no Claude, or does not say which one */
export function claudeVersion(model: string): ClaudeVersion | null {
  const name = model.toLowerCase();
  const newer = familyFirst.exec(name);
  if (newer) return { family: newer[1] ?? "", major: Number(newer[2]), minor: Number(newer[3] ?? 0) };
  const older = versionFirst.exec(name);
  if (older) return { family: older[3] ?? "", major: Number(older[1]), minor: Number(older[2] ?? 0) };
  // Its preview had no number and behaves as the first numbered one.
  return name.includes("claude-mythos") ? { family: "mythos", major: 5, minor: 0 } : null;
}

/** What a model takes of a request, where the models differ. Anything else gets 400 (https://platform.claude.com/docs/en/about-claude/models/migration-guide). */
export interface ClaudeWays {
  /** It goes on from a last assistant message. Since 4.6: "This model does not support assistant message prefill." */
  readonly prefill: boolean;
  /** It can be asked to think. Since 3.7; older ones answer the wish with 400. */
  readonly thinks: boolean;
  /** `thinking: {type: "adaptive"}` with `output_config.effort`; otherwise a budget of tokens. */
  readonly adaptive: boolean;
  /** Thinking can be turned off. */
  readonly quiet: boolean;
  /** `temperature`, `top_p` and `top_k` are taken. */
  readonly sampling: boolean;
  /** The two of `temperature` and `top_p` together. */
  readonly bothSampling: boolean;
  /** Effort `xhigh`. */
  readonly xhigh: boolean;
  /** `output_config.format` and strict tools. */
  readonly schemas: boolean;
}

/** Servers that speak Anthropic's dialect for models of others took it over as it was before Claude 4.6. */
const othersModel: ClaudeWays = {
  prefill: true,
  thinks: true,
  adaptive: false,
  quiet: true,
  sampling: true,
  bothSampling: true,
  xhigh: false,
  schemas: false,
};

export function claudeWays(model: string): ClaudeWays {
  const version = claudeVersion(model);
  if (version === null) return othersModel;
  const { family, major, minor } = version;
  const since = (atMajor: number, atMinor: number): boolean =>
    major > atMajor || (major === atMajor && minor >= atMinor);
  const alwaysThinks = family === "fable" || family === "mythos" || (since(5, 5) && family !== "haiku");
  return {
    prefill: !since(4, 6),
    thinks: since(3, 7),
    adaptive: since(4, 6),
    quiet: !alwaysThinks,
    sampling: !since(4, 7),
    bothSampling: !since(4, 1),
    xhigh: since(4, 7),
    schemas: since(4, 5) || (family === "opus" && since(4, 1)),
  };
}

/** How a model goes on with an answer that broke off, at whichever provider; null: it is no Claude, and nobody knows. */
export function continuationWayOf(model: string): ContinuationWay | null {
  if (claudeVersion(model) === null) return null;
  return claudeWays(model).prefill ? "assistant-prefix" : "none";
}
