import type { ContinuationWay, Deployment, PartialPolicy } from "@tuloy/contract";
import { upstreamCodec } from "@tuloy/dialects";

import type { Provider, Route, Snapshot } from "../config/snapshot.ts";
import { table } from "./table.ts";

/** How well a provider completes a stream that broke elsewhere, as `--json` prints it. */
export interface CompletionView {
  readonly provider: string;
  /** Null: not known, or not the same for all its models. */
  readonly continuation: string | null;
  /** `unknown`: a small request finds it out before the first use. `varies`: its models differ, and it is known how. */
  readonly quality: "exact" | "unknown" | "varies" | "replay";
}

/** Of every provider that serves chat. */
export function completionViews({ providers, models }: Snapshot): CompletionView[] {
  const chatting = Map.groupBy(
    [...models.values()].filter(({ operation }) => operation === "chat").flatMap(({ deployments }) => deployments),
    ({ provider }) => provider,
  );
  return [...providers.values()].flatMap((provider) => {
    const served = chatting.get(provider.name);
    return served === undefined ? [] : [viewOf(provider, served)];
  });
}

function viewOf({ name, continuation }: Provider, served: readonly Deployment[]): CompletionView {
  const known = continuation === null ? served.map(knownOf) : [continuation];
  const ways = [...new Set(known)];
  const [way = null] = ways;
  if (ways.length > 1) return { provider: name, continuation: null, quality: "varies" };
  return { provider: name, continuation: way, quality: way === null ? "unknown" : way === "none" ? "replay" : "exact" };
}

/** What is known of a model where neither the file nor the kind says it; only OpenAI's chat dialect has a request that finds it out. */
function knownOf({ dialects: [first], model }: Deployment): ContinuationWay | null {
  if (first === undefined) return null;
  return upstreamCodec(first)?.continues?.(model) ?? (first === "openai-chat" ? null : "none");
}

const policies: Readonly<Record<PartialPolicy, string>> = {
  continue: "another deployment completes it",
  "continue-soft": "another deployment completes it, if need be by being asked to go on",
  hold: "nothing is sent before the answer is whole",
  error: "the client is told",
};

const meanings: Readonly<Record<CompletionView["quality"], string>> = {
  exact: "goes on from the break; else by a replay",
  replay: "answers again; completes it when it says the same",
  unknown: "exact or replay: a small request finds out before the first use",
  varies: "exact or replay, by model",
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
        meanings[quality],
      ]),
    ),
  ];
}
