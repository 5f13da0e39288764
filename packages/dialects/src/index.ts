export * from "./providers/preset.ts";
