import { describe, expect, it } from "vitest";

import { claudeVersion, claudeWays, continuationWayOf } from "./claude.ts";

describe("which Claude a name means", () => {
  it.each([
    ["claude-sonnet-4-6", "sonnet 4.6"],
    ["anthropic/claude-opus-4.5", "opus 4.5"],
    ["claude-opus-4-5-20251101", "opus 4.5"],
    ["claude-sonnet-4-20250514", "sonnet 4.0"],
    ["claude-sonnet-4@20250514", "sonnet 4.0"],
    ["us.anthropic.claude-3-7-sonnet-20250219-v1:0", "sonnet 3.7"],
    ["anthropic.claude-haiku-4-5-20251001-v1:0", "haiku 4.5"],
    ["claude-3-haiku-20240307", "haiku 3.0"],
    ["claude-3.5-haiku", "haiku 3.5"],
    ["claude-opus-5", "opus 5.0"],
    ["claude-fable-5-1", "fable 5.1"],
    ["claude-mythos-preview", "mythos 5.0"],
    ["eu.anthropic.claude-opus-4-6-v1", "opus 4.6"],
  ])("%s is %s", (name, expected) => {
    const version = claudeVersion(name);
    expect(version === null ? null : `${version.family} ${version.major}.${version.minor}`).toBe(expected);
  });

  it.each(["gpt-4.1", "deepseek-chat", "claude", "claude-instant-1.2", ""])("%s is none", (name) => {
    expect(claudeVersion(name)).toBeNull();
  });
});

describe("what a Claude takes", () => {
  it("prefill up to 4.5, and never since", () => {
    const older = ["claude-3-haiku", "claude-sonnet-4", "claude-opus-4-1", "claude-sonnet-4-5", "claude-haiku-4-5"];
    const newer = ["claude-opus-4-6", "claude-sonnet-4-6", "claude-opus-5", "claude-haiku-5-5", "claude-fable-5"];
    expect(new Set(older.map(continuationWayOf))).toEqual(new Set(["assistant-prefix"]));
    expect(new Set(newer.map(continuationWayOf))).toEqual(new Set(["none"]));
    expect(continuationWayOf("some-other-model")).toBeNull();
  });

  it("thinking by a budget up to 4.5, and adaptive since", () => {
    expect([claudeWays("claude-sonnet-4-5").adaptive, claudeWays("claude-sonnet-4-6").adaptive]).toEqual([false, true]);
  });

  it("sampling up to 4.6, and a schema since 4.5", () => {
    expect([claudeWays("claude-opus-4-6").sampling, claudeWays("claude-opus-4-7").sampling]).toEqual([true, false]);
    expect([claudeWays("claude-sonnet-4").schemas, claudeWays("claude-sonnet-4-5").schemas]).toEqual([false, true]);
  });

  it("no end of thinking, where it always thinks", () => {
    const quiet = ["claude-opus-5", "claude-haiku-5-5", "claude-opus-5-5", "claude-fable-5"].map(
      (name) => claudeWays(name).quiet,
    );
    expect(quiet).toEqual([true, true, false, false]);
  });
});
