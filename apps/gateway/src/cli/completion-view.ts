import type { Deployment, Dialect, PartialPolicy } from "@tuloy/contract";
import { laneFor } from "@tuloy/dialects";

import type { Provider, Route, Snapshot } from "../config/snapshot.ts";
import { knownWay, skillIn } from "../relay/continuation-skill.ts";
import { table } from "./table.ts";

/** How well a provider completes a stream that broke elsewhere, as `--json` prints it. */
export interface CompletionView {
  readonly provider: string;
  /** The dialects of the clients for whom it is so: a provider may be asked for them in different dialects of its own. */
  readonly clients: readonly Dialect[];
  /** Null: not known, or not the same for all its models. */
  readonly continuation: string | null;
  /** `unknown`: a small request finds it out before the first use. `mixed`: some of its models exactly, others by a replay. */
  readonly quality: "exact" | "unknown" | "replay" | "mixed";
}

/** The dialects in which clients ask for chat. */
const clients: readonly Dialect[] = ["openai-chat", "openai-responses", "anthropic-messages"];

/** Of every provider that serves chat: what the relay would do, by the relay's own law. */
export function completionViews({ providers, models }: Snapshot): CompletionView[] {
  const chatting = Map.groupBy(
    [...models.values()].filter(({ operation }) => operation === "chat").flatMap(({ deployments }) => deployments),
    ({ provider }) => provider,
  );
  return [...providers.values()].flatMap((provider) => {
    const serves = chatting.get(provider.name);
    return serves === undefined ? [] : viewsOf(provider, serves);
  });
}

function viewsOf(provider: Provider, serves: readonly Deployment[]): CompletionView[] {
  const views = clients.flatMap((client) => viewFor(client, provider, serves) ?? []);
  const alike = Map.groupBy(views, ({ continuation, quality }) => `${quality} ${continuation}`);
  return [...alike.values()].flatMap(([first, ...rest]) =>
    first === undefined ? [] : [{ ...first, clients: [first, ...rest].flatMap((view) => view.clients) }],
  );
}

/** Null where no client of this dialect reaches it. */
function viewFor(client: Dialect, provider: Provider, serves: readonly Deployment[]): CompletionView | null {
  const reached = serves.filter((deployment) => laneFor(client, deployment) !== null);
  const ways = new Map(
    reached.map((deployment) => {
      const skill = skillIn(client, deployment, provider);
      return [`${skill} ${skill === "exact" ? knownWay(client, deployment, provider) : ""}`, { deployment, skill }];
    }),
  );
  const [one] = ways.values();
  if (one === undefined) return null;
  const of = { provider: provider.name, clients: [client] };
  if (ways.size > 1) return { ...of, continuation: null, quality: "mixed" };
  if (one.skill === "unknown") return { ...of, continuation: null, quality: "unknown" };
  if (one.skill === "none") return { ...of, continuation: "none", quality: "replay" };
  return { ...of, continuation: knownWay(client, one.deployment, provider), quality: "exact" };
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
      ["provider", "clients", "continuation", "meaning"],
      views.map(({ provider, clients: asking, continuation, quality }, index) => [
        views[index - 1]?.provider === provider ? "" : provider,
        asking.length === clients.length ? "any" : asking.join(", "),
        quality === "exact" ? `exact (${continuation})` : quality,
        meanings[quality],
      ]),
    ),
  ];
}
