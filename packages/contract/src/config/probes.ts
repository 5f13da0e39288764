import { z } from "zod";

import { probeTargets } from "../settings.ts";
import { durationOrOff } from "./values.ts";

export const probes = z
  .strictObject({
    every: durationOrOff(1000)
      .optional()
      .describe(
        "A deployment that neither traffic nor a probe reached for this long is probed; off: no probe is ever sent. Default: 1m for a private provider, else 5m.",
      ),
    targets: z
      .enum(probeTargets)
      .optional()
      .describe(
        "all: everything it serves; backups: only what may stand in for a deployment of the same model that had traffic within the last day. Default: all for a private provider, else backups.",
      ),
    jitter: z
      .number()
      .min(0)
      .max(0.5)
      .default(0.2)
      .describe(
        "Each interval is longer or shorter by up to this share, so that replicas do not keep step. Default 0.2.",
      ),
    daily_cost: z
      .number()
      .nonnegative()
      .default(0.1)
      .describe(
        "USD that all its probes may cost on one day (UTC). Once that is spent there is an alert, and no further probe that costs something. Default 0.1.",
      ),
  })
  .describe(
    "The smallest real requests, sent to deployments that had no traffic, so that what is known of them is fresh.",
  );
