import type { Clock, Deployment } from "@tuloy/contract";
import { laneFor, type ReadRequest } from "@tuloy/dialects";
import type { Health } from "@tuloy/routing";

/** A deployment as it can be spoken to now. */
export type SpokenAs = (deployment: Deployment) => Deployment;

/** Null where every deployment speaks what its kind does, as far as is known: the common case. */
export function spokenAs({ unspoken }: Health, now: number): SpokenAs | null {
  if (unspoken.isEmpty) return null;
  return (deployment) => without(deployment, (dialect) => unspoken.includes(deployment.id, dialect, now)) ?? deployment;
}

/** A deployment as it can be spoken to now: itself, nearly always. */
export function spokenNow(
  deployment: Deployment,
  { health, clock }: { readonly health: Health; readonly clock: Clock },
): Deployment {
  if (health.unspoken.isEmpty) return deployment;
  return spokenAs(health, clock.now())?.(deployment) ?? deployment;
}

/**
 * The same deployment without the dialect in which it was asked, to be asked in another. OpenAI's chat dialect is what every
 * server has: where that is missing, the server is.
 * @returns null where it has no other
 */
export function otherwiseSpoken({ dialect, counts }: ReadRequest, deployment: Deployment): Deployment | null {
  const asked = laneFor(dialect, deployment)?.dialect;
  if (asked === undefined || asked === "openai-chat" || counts === true) return null;
  const other = without(deployment, (spoken) => spoken === asked);
  return other === null || laneFor(dialect, other) === null ? null : other;
}

/** @returns null where nothing is left, or nothing is taken away */
function without(
  deployment: Deployment,
  isUnspoken: (dialect: Deployment["dialects"][number]) => boolean,
): Deployment | null {
  const dialects = deployment.dialects.filter((dialect) => !isUnspoken(dialect));
  return dialects.length === 0 || dialects.length === deployment.dialects.length ? null : { ...deployment, dialects };
}
