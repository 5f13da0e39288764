import { clientError, type ClientError, type Exclusion } from "@tuloy/contract";
import type { Plan } from "@tuloy/routing";

import type { Asked } from "./read.ts";

/**
 * The error for a plan without anybody. Where only a region pin stands between the request and a deployment, it says so
 * with a status that asks for patience: somebody may open in that region, or come back.
 */
export function noneAllowed({ entry, route }: Asked, plan: Plan): ClientError {
  // Whoever belongs to another organization does not exist for this one.
  const visible = plan.exclusions.filter(({ reason }) => reason !== "visibility");
  if (visible.some(({ reason }) => reason === "region")) {
    const regions = route.regions?.join(" or ") ?? "";
    return clientError(
      "region_unavailable",
      `No deployment of ${entry.model} in ${regions} may serve this request, and route ${route.name} allows no other region: ${inWords(visible)}.`,
      { param: "model" },
    );
  }
  return clientError(
    "no_deployment_allowed",
    `No deployment of ${entry.model} may serve this request: ${inWords(visible)}.`,
    {
      param: "model",
    },
  );
}

function inWords(exclusions: readonly Exclusion[]): string {
  return exclusions.map(({ deployment, detail }) => `${deployment}: ${detail}`).join("; ");
}
