import type { Config, ProbeSettings, ProviderConfig } from "@tuloy/contract";
import type { KeyReservation } from "@tuloy/routing";

import { visibilityOf } from "../addresses.ts";
import { baseUrlOf, regionOf } from "../base-url.ts";
import { presetFor } from "../preset-for.ts";
import type { Provider } from "../snapshot.ts";

const minute = 60_000;

type ProviderKeyConfig = ProviderConfig["keys"][number];

export function providersOf(config: Config, sandboxUrls: ReadonlyMap<string, string>): Map<string, Provider> {
  return new Map(
    Object.entries(config.providers).map(([name, provider]) => {
      const preset = presetFor(provider.kind);
      const base = sandboxUrls.get(name) ?? baseUrlOf(provider);
      if (base === null) throw new Error(`provider ${name} has no base URL`);
      const visibility = visibilityOf(provider, new URL(base));
      return [
        name,
        {
          name,
          preset,
          baseUrl: base.replace(/\/+$/, ""),
          visibility,
          region: regionOf(provider),
          project: provider.project ?? null,
          location: provider.location ?? null,
          continuation: provider.continuation ?? preset.continuation,
          keys: provider.keys.map((key, index) => ({
            name: key.name ?? defaultKeyName(index),
            value: key.value,
            weight: key.weight,
            limits: {
              rpm: key.limits.rpm ?? null,
              tpm: key.limits.tpm ?? null,
              concurrency: key.limits.concurrency ?? null,
            },
            reserved: reservationOf(key),
          })),
          probes: probesOf(provider, visibility),
        },
      ];
    }),
  );
}

function reservationOf({ environments, workspaces }: ProviderKeyConfig): KeyReservation | null {
  if (environments === undefined && workspaces === undefined) return null;
  return {
    environments: environments === undefined ? null : new Set(environments),
    workspaces: workspaces === undefined ? null : new Set(workspaces),
  };
}

/** A private provider's probes cost nothing but its own time, and nobody else's status page tells of it. */
function probesOf({ probes }: ProviderConfig, visibility: Provider["visibility"]): ProbeSettings {
  const isPrivate = visibility === "private";
  return {
    everyMs: probes.every === undefined ? (isPrivate ? minute : 5 * minute) : probes.every,
    jitter: probes.jitter,
    dailyCostUsd: probes.daily_cost,
    targets: probes.targets ?? (isPrivate ? "all" : "backups"),
  };
}

export function defaultKeyName(index: number): string {
  return `key-${index + 1}`;
}
