import type { ContinuationWay, Deployment, Dialect } from "@tuloy/contract";
import { laneFor, upstreamCodec } from "@tuloy/dialects";
import type { ContinuationSkill } from "@tuloy/routing";

import type { Provider } from "../config/snapshot.ts";

type Asked = Pick<Deployment, "dialects" | "model">;

/**
 * How a deployment is known to go on with a broken answer, for clients of a dialect: by its provider's configuration or kind, or by its
 * model. What a kind does in one of its dialects, it need not do in another.
 * @returns null where nobody knows
 */
export function knownWay(
  client: Dialect,
  deployment: Asked,
  { continuation }: Pick<Provider, "continuation">,
): ContinuationWay | null {
  const spoken = laneFor(client, deployment)?.dialect ?? null;
  // What needs more than a last assistant message is a matter of the chat dialect: the provider's others do not have it.
  const isGeneral = continuation === "none" || continuation === "assistant-prefix";
  if (continuation !== null && (isGeneral || spoken === "openai-chat")) return continuation;
  return spoken === null ? null : (upstreamCodec(spoken)?.continues?.(deployment.model) ?? null);
}

/** Whether it goes on exactly. What nobody knows is found out by a request of OpenAI's chat dialect, so only there. */
export function skillIn(
  client: Dialect,
  deployment: Asked,
  provider: Pick<Provider, "continuation">,
): ContinuationSkill {
  const known = knownWay(client, deployment, provider);
  if (known !== null) return known === "none" ? "none" : "exact";
  return laneFor(client, deployment)?.dialect === "openai-chat" ? "unknown" : "none";
}
