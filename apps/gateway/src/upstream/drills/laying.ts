import type { SandboxFault } from "../../sandbox/faults.ts";

/** A fault that lets the real answer begin and spoils it. */
export type DisturbingFault =
  | { readonly name: "slow-first-token"; readonly ms: number }
  | { readonly name: Extract<SandboxFault, { readonly tokens: number }>["name"]; readonly tokens: number }
  | { readonly name: "no-done" };

/** A fault that leaves nothing of the real answer: for it no byte goes to the provider. */
export type ReplacingFault =
  | { readonly name: "429"; readonly ms: number }
  | { readonly name: Exclude<SandboxFault["name"], DisturbingFault["name"] | "429"> };

/** How a fault is laid over a real provider's traffic. */
export type Laying = { readonly replaces: ReplacingFault } | { readonly disturbs: DisturbingFault };

export function layingOf(fault: SandboxFault): Laying {
  if ("tokens" in fault) return { disturbs: fault };
  if ("ms" in fault) {
    const { name, ms } = fault;
    return name === "429" ? { replaces: { name, ms } } : { disturbs: { name, ms } };
  }
  const { name } = fault;
  return name === "no-done" ? { disturbs: { name } } : { replaces: { name } };
}
