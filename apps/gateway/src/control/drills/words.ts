import { formatDuration } from "@tuloy/contract";

import type { SandboxFault } from "../../sandbox/faults.ts";
import type { Drill } from "./drill.ts";
import type { DrillScope, DrillTarget } from "./scope.ts";

/** `503 at openai for environment=staging, for 2m`. */
export function describeDrill({ fault, target, scope, forMs }: Drill): string {
  return `${faultText(fault)} at ${targetText(target)} for ${scopeText(scope)}, for ${formatDuration(forMs)}`;
}

/** As it is typed: `cut:5`. */
export function faultText(fault: SandboxFault): string {
  if ("tokens" in fault) return `${fault.name}:${fault.tokens}`;
  return "ms" in fault ? `${fault.name}:${fault.ms}` : fault.name;
}

/** `openai/gpt-4.1@eu`, with what is given. */
export function targetText({ provider, model, region }: DrillTarget): string {
  return `${provider}${model === null ? "" : `/${model}`}${region === null ? "" : `@${region}`}`;
}

function scopeText({ environment, workspace, key, tags, includeProduction }: DrillScope): string {
  const conditions = [
    ...(environment === null ? [] : [`environment=${environment}`]),
    ...(workspace === null ? [] : [`workspace=${workspace}`]),
    ...(key === null ? [] : [`key=${key}`]),
    ...Object.entries(tags).map(([name, value]) => `tag.${name}=${value}`),
  ];
  const where = environment !== null || includeProduction ? "" : ", never production";
  return `${conditions.length === 0 ? "every request" : conditions.join(" and ")}${where}`;
}
