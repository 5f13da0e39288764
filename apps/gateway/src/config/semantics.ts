import { builtInCatalog } from "@tuloy/catalog";
import type { Catalog } from "@tuloy/catalog";
import type { Config, ConfigIssue } from "@tuloy/contract";

import { servingsOf } from "./deployments.ts";
import { issue, repeated } from "./semantics/issue.ts";
import { duplicateModels, equivalentIssues, servingIssues } from "./semantics/models.ts";
import { providerIssues } from "./semantics/providers.ts";
import { regionClaim } from "./semantics/region-claim.ts";
import { policyIssues, routeIssues } from "./semantics/routes.ts";

/** What a schema cannot see: faults between the parts of a configuration. Empty when it can be compiled. */
export function semanticIssues(config: Config, catalog: Catalog = builtInCatalog): ConfigIssue[] {
  const servings = servingsOf(config, catalog);
  return [
    ...callerIssues(config),
    ...Object.entries(config.providers).flatMap(([name, provider]) => providerIssues(name, provider, catalog)),
    ...duplicateModels(config, catalog),
    ...servingIssues(config, servings, catalog),
    ...equivalentIssues(config, servings, catalog),
    ...routeIssues(config),
    ...policyIssues(config, servings),
  ];
}

/** What holds as it is written, and may not be meant so. */
export function semanticWarnings({ providers }: Config): ConfigIssue[] {
  return Object.entries(providers).flatMap(([name, provider]) => {
    const claim = regionClaim(["providers", name], provider);
    return claim === null || claim.refused ? [] : [claim.issue];
  });
}

function callerIssues({ keys }: Config): ConfigIssue[] {
  return [
    ...repeated(
      keys.map((key) => key.name),
      (index, first) => issue(["keys", index, "name"], `is also the name of keys[${first}]`),
    ),
    ...repeated(
      keys.map((key) => key.value),
      (index, first) =>
        issue(["keys", index, "value"], `is the same as that of keys[${first}]: who is asking could not be told`),
    ),
  ];
}
