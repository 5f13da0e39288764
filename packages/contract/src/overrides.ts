/** Quantization classes as requests and configurations name them. `unknown` is what nobody has said. */
export const quantizations = ["int4", "int8", "fp4", "fp6", "fp8", "fp16", "bf16", "fp32", "unknown"] as const;

/** What candidates can be sorted by for one request. */
export const overrideSorts = ["price", "latency", "throughput"] as const;
export type OverrideSort = (typeof overrideSorts)[number];

/** What a request may cost at most. */
export interface MaxPrice {
  /** USD per million input tokens; null: no cap. */
  readonly input: number | null;
  /** USD per million output tokens; null: no cap. */
  readonly output: number | null;
  /** USD for the whole request; null: no cap. */
  readonly request: number | null;
}

/** What a request itself asks of routing. It can only narrow what its route and key allow. */
export interface RoutingOverrides {
  /** Providers to try first, in this order; null: the route's order. */
  readonly order: readonly string[] | null;
  /** The only providers to try; null: all that the route allows. */
  readonly only: readonly string[] | null;
  /** Providers not to try. */
  readonly ignore: readonly string[] | null;
  /** False: the first candidate or nothing. Default true. */
  readonly allowFallbacks: boolean;
  readonly sort: OverrideSort | null;
  readonly maxPrice: MaxPrice | null;
  /** Only deployments that retain nothing. */
  readonly zdr: boolean;
  /** `deny`: only deployments that do not train on what they are sent. */
  readonly dataCollection: "allow" | "deny" | null;
  /** Only deployments that take every parameter of the request. */
  readonly requireParameters: boolean;
  readonly quantizations: readonly string[] | null;
  /** Models that may stand in, in this order. */
  readonly models: readonly string[];
}
