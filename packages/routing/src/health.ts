export interface HealthOptions {
  /** 0 ≤ x < 1. */
  readonly random: () => number;
}
export class Health {
  constructor(_options: HealthOptions) {}
}
