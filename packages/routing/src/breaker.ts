export interface Permit {
  readonly kind: "closed" | "trial" | "forced";
}
