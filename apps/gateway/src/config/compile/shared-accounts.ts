import type { Config, ProviderConfig, RouteConfig } from "@tuloy/contract";

import { matchesEverything } from "./routes.ts";

/** Who may ask, as far as routes and provider keys tell callers apart. */
interface Caller {
  readonly workspace: string;
  readonly environment: string;
}

/**
 * By provider, the workspaces whose requests may not name what is stored in its account. An account is shared when several workspaces
 * can reach it, through whichever provider: the same credential is the same account.
 * @returns null when no workspace is refused anything, which is the common case
 */
export function idsRefused(config: Config): ReadonlyMap<string, ReadonlySet<string>> | null {
  const callers = callersOf(config);
  const sharers = new Map<string, Set<string>>();
  const accounts = Object.entries(config.providers).map(([name, provider]) => ({
    name,
    rule: provider.account_ids,
    uses: usesOf(name, provider, config, callers),
  }));
  for (const { uses } of accounts) {
    for (const { account, workspace } of uses) {
      const known = sharers.get(account);
      if (known === undefined) sharers.set(account, new Set([workspace]));
      else known.add(workspace);
    }
  }
  const refused = new Map<string, ReadonlySet<string>>();
  for (const { name, rule, uses } of accounts) {
    if (rule === "forward") continue;
    const those = uses.filter(({ account }) => rule === "refuse" || (sharers.get(account)?.size ?? 0) > 1);
    if (those.length > 0) refused.set(name, new Set(those.map(({ workspace }) => workspace)));
  }
  return refused.size === 0 ? null : refused;
}

function callersOf({ keys }: Config): readonly Caller[] {
  // Of the key that is made when the file names none.
  return keys.length === 0 ? [{ workspace: "default", environment: "production" }] : keys;
}

interface Use {
  readonly account: string;
  readonly workspace: string;
}

/** Every account of a provider with every workspace that can reach it. */
function usesOf(name: string, provider: ProviderConfig, config: Config, callers: readonly Caller[]): readonly Use[] {
  const reaching = callers.filter((caller) => reaches(caller, name, config.routes));
  if (provider.keys.length === 0) return reaching.map(({ workspace }) => ({ account: `at ${name}`, workspace }));
  return provider.keys.flatMap(({ value, workspaces, environments }) =>
    reaching
      .filter((caller) => includes(workspaces, caller.workspace) && includes<string>(environments, caller.environment))
      // What a machine may do by itself is another thing at every maker of clouds.
      .map(({ workspace }) => ({ account: value === "ambient" ? `${provider.kind} ${value}` : value, workspace })),
  );
}

/** Whether some route can send this caller's request there: a request may ask for any route that applies to it. */
function reaches({ workspace, environment }: Caller, provider: string, routes: readonly RouteConfig[]): boolean {
  return (
    !routes.some(matchesEverything) ||
    routes.some(
      ({ match, providers }) =>
        includes(match.workspaces, workspace) &&
        includes<string>(match.environments, environment) &&
        includes(providers, provider),
    )
  );
}

/** An absent list means any. */
function includes<T>(list: readonly T[] | undefined, value: T): boolean {
  return list === undefined || list.includes(value);
}
