import { createHash } from "node:crypto";

import { builtInCatalog } from "@tuloy/catalog";
import type { Catalog } from "@tuloy/catalog";
import type { Config } from "@tuloy/contract";

import { aliasesOf, modelsOf, ownIdsOf } from "./compile/models.ts";
import { providersOf } from "./compile/providers.ts";
import { routesOf } from "./compile/routes.ts";
import { idsRefused } from "./compile/shared-accounts.ts";
import { fileOrganization as organization, servingsOf } from "./deployments.ts";
import { KeyRing } from "./key-ring.ts";
import type { Snapshot } from "./snapshot.ts";

/** The key of a gateway whose file names none: itself, or its digest with the secret it was made with. */
export type OwnKey = { readonly value: string } | { readonly secret: Buffer; readonly digest: string };

/**
 * Compiles a configuration that `loadConfig` accepted.
 * @param text what it was read from, for the version
 * @param sandboxUrls the base URLs of the simulated providers, which are known once they listen, by provider
 * @param ownKey holds only while the file names no key
 * @throws when a sandbox provider has no URL: a fault of the caller, not of the file
 */
export function compile(
  config: Config,
  text: string,
  sandboxUrls: ReadonlyMap<string, string>,
  ownKey: OwnKey | null = null,
  catalog: Catalog = builtInCatalog,
): Snapshot {
  const servings = servingsOf(config, catalog);
  const deployments = servings.map((serving) => serving.deployment);
  const models = modelsOf(config, deployments, catalog);
  return {
    version: createHash("sha256").update(text).digest("hex").slice(0, 12),
    keyRing: keyRingOf(config, ownKey),
    providers: providersOf(config, sandboxUrls),
    models,
    aliases: aliasesOf(models, servings, catalog),
    ownIds: ownIdsOf(deployments),
    routes: routesOf(config, catalog),
    idsRefused: idsRefused(config),
    catalog,
  };
}

function keyRingOf(config: Config, ownKey: OwnKey | null): KeyRing {
  if (config.keys.length === 0 && ownKey !== null) {
    const principal = { organization, workspace: "default", environment: "production", key: "first-key" };
    return "digest" in ownKey
      ? new KeyRing([{ ...principal, digest: ownKey.digest }], ownKey.secret)
      : new KeyRing([{ ...principal, value: ownKey.value }]);
  }
  return new KeyRing(
    config.keys.map(({ name, value, workspace, environment }) => ({
      value,
      organization,
      workspace,
      environment,
      key: name,
    })),
  );
}
