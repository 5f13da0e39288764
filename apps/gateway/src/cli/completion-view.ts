import type { Deployment, PartialPolicy } from "@tuloy/contract";
import { upstreamCodec } from "@tuloy/dialects";

import type { Provider, Route, Snapshot } from "../config/snapshot.ts";
import { table } from "./table.ts";

/** How well a provider completes a stream that broke elsewhere, as `--json` prints it. */
export interface CompletionView {
  readonly provider: string;
  /** Null: not known, or not the same for all its models. */
  readonly continuation: string | null;
  /** `unknown`: a small request finds it out before the first use. `mixed`: some of its models exactly, others by a replay. */
  readonly quality: "exact" | "unknown" | "replay" | "mixed";
}

/** Of every provider that serves chat. */
export function completionViews({ providers, models }: Snapshot): CompletionView[] {
  const chatting = Map.groupBy(
    [...models.values()].filter(({ operation }) => operation === "chat").flatMap(({ deployments }) => deployments),
    ({ provider }) => provider,
  );
  return [...providers.values()].flatMap((provider) => {
    const serves = chatting.get(provider.name);
    return serves === undefined ? [] : [viewOf(provider, serves)];
  });
}

function viewOf({ name, continuation }: Provider, serves: readonly Deployment[]): CompletionView {
  const ways = new Set(serves.map((deployment) => continuation ?? wayOf(deployment)));
  const [way = null] = ways;
  if (ways.size > 1) return { provider: name, continuation: null, quality: "mixed" };
  return { provider: name, continuation: way, quality: way === null ? "unknown" : way === "none" ? "replay" : "exact" };
}

/** Where the provider's kind does not say it: by the model. What nobody knows can be found out in OpenAI's dialect alone. */
function wayOf({ dialects: [spoken], model }: Deployment): string | null {
  if (spoken === undefined || spoken === "openai-chat") return null;
  return upstreamCodec(spoken)?.continues?.(model) ?? "none";
}

const meanings: Readonly<Record<CompletionView["quality"], string>> = {
  exact: "goes on from the break; else by a replay",
  replay: "answers again; completes it when it says the same",
  mixed: "exact or replay, as its models can",
  unknown: "exact or replay: a small request finds out before the first use",
};

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
        meanings[quality],
      ]),
    ),
  ];
}
