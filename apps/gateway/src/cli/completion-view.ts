import type { PartialPolicy } from "@tuloy/contract";

import type { Provider, Route, Snapshot } from "../config/snapshot.ts";
import { table } from "./table.ts";

/** How well a provider completes a stream that broke elsewhere, as `--json` prints it. */
export interface CompletionView {
  readonly provider: string;
  /** Null: not known; a small request finds it out before the first use. */
  readonly continuation: string | null;
  readonly quality: "exact" | "unknown" | "replay";
}

/** Of every provider that serves chat. */
export function completionViews({ providers, models }: Snapshot): CompletionView[] {
  const chatting = new Set(
    [...models.values()]
      .filter(({ operation }) => operation === "chat")
      .flatMap(({ deployments }) => deployments.map(({ provider }) => provider)),
  );
  return [...providers.values()].filter(({ name }) => chatting.has(name)).map(viewOf);
}

function viewOf({ name, continuation }: Provider): CompletionView {
  const quality = continuation === null ? "unknown" : continuation === "none" ? "replay" : "exact";
  return { provider: name, continuation, quality };
}

const policies: Readonly<Record<PartialPolicy, string>> = {
  continue: "another deployment completes it",
  "continue-soft": "another deployment completes it, if need be by being asked to go on",
  hold: "nothing is sent before the answer is whole",
  error: "the client is told",
};

/** What becomes of a stream that breaks after its first token, by route, and what each provider could do about it. */
export function describeCompletion(routes: readonly Route[], views: readonly CompletionView[]): string[] {
  if (views.length === 0) return [];
  const byPolicy = Map.groupBy(routes, ({ failover }) => failover.onPartial);
  return [
    ...table(
      ["route", "policy", "meaning"],
      [...byPolicy].map(([policy, of]) => [
        of.map(({ name }) => name).join(", "),
        `on_partial ${policy}`,
        policies[policy],
      ]),
    ),
    "",
    ...table(
      ["provider", "continuation", "meaning"],
      views.map(({ provider, continuation, quality }) => [
        provider,
        quality === "exact" ? `exact (${continuation})` : quality,
        quality === "exact"
          ? "goes on from the break; else by a replay"
          : quality === "replay"
            ? "answers again; completes it when it says the same"
            : "exact or replay: a small request finds out before the first use",
      ]),
    ),
  ];
}
