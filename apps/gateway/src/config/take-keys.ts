import { createHash } from "node:crypto";

import type { Health } from "@tuloy/routing";

import type { Snapshot } from "./snapshot.ts";

/** The keys' state lives in `health`, by name and identity: a key whose value changed starts anew. */
export function takeKeys(health: Health, snapshot: Snapshot): void {
  for (const { name, keys } of snapshot.providers.values()) {
    health.keyPool(name).reconcile(
      keys.map((key) => ({
        name: key.name,
        identity: createHash("sha256").update(key.value).digest("base64"),
        weight: key.weight,
        limits: key.limits,
        reserved: key.reserved,
      })),
    );
  }
}
