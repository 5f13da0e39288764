import type { Deployment } from "@tuloy/contract";

import type { Snapshot } from "../config/snapshot.ts";
import type { Asked } from "./read.ts";

/**
 * Why a request that names something stored in a provider's account does not go there: several workspaces share the account, and
 * whoever knows the id could read through the gateway what another workspace put there. Null where that stands against nobody, which
 * is the common case.
 */
export function accountObstacles(
  { stored, principal }: Asked,
  { idsRefused }: Snapshot,
): ((deployment: Deployment) => string | null) | null {
  if (stored === null || idsRefused === null) return null;
  const { param, what } = stored;
  return ({ provider }) =>
    idsRefused.get(provider)?.has(principal.workspace) === true
      ? `"${param}" names ${what} that is stored in the account at ${provider}, whose ids are not forwarded for the workspace ${principal.workspace} (providers.${provider}.account_ids)`
      : null;
}
