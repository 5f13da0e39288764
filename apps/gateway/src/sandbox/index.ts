export type { FaultScope } from "./fault-switch.ts";
export { parseFault, sandboxFaults } from "./faults.ts";
export type { SandboxFault, SandboxFaultName } from "./faults.ts";
export { startSandbox } from "./sandbox.ts";
export type { Sandbox, SandboxOptions, SandboxStats } from "./sandbox.ts";
