export * from "./clock.ts";
export * from "./deployment.ts";
export * from "./duration.ts";
export * from "./errors.ts";
export * from "./failure.ts";
export * from "./trace.ts";
export * from "./settings.ts";
