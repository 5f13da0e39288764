import type { EquivalencePolicy, Fidelity, MaxPrice, Quantization, Strategy } from "@tuloy/contract";

/** What a route asks of every plan that is made under it. */
export interface PlanPolicy {
  readonly strategy: Strategy;
  /** Provider names in order of preference; null: every provider that serves the model, in the file's order. */
  readonly providers: readonly string[] | null;
  /** Each provider's share under `weighted`; null: equal shares. */
  readonly weights: ReadonlyMap<string, number> | null;
  /** Where a deployment must compute; null: anywhere. */
  readonly regions: readonly string[] | null;
  readonly fidelity: Fidelity;
  /** Instead of what `fidelity` compares; null: by `fidelity`. */
  readonly quantizations: readonly Quantization[] | null;
  readonly maxPrice: MaxPrice | null;
  /** How many times the primary's estimated price a backup may cost; null: no cap. */
  readonly maxCostMultiplier: number | null;
  readonly equivalents: EquivalencePolicy;
}
