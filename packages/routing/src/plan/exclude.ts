import type { Deployment, Exclusion, ExclusionReason } from "@tuloy/contract";

/** Why a deployment is not a candidate, as the trace keeps it. */
export function excluded(deployment: Deployment, reason: ExclusionReason, detail: string): Exclusion {
  return { deployment: deployment.id, reason, detail };
}
