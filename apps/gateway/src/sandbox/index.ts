export { sandboxFaults } from "./faults.ts";
export type { SandboxFault, SandboxFaultName } from "./faults.ts";
export { startSandbox } from "./sandbox.ts";
export type { Sandbox, SandboxOptions } from "./sandbox.ts";
