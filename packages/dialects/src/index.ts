export * from "./client-dialect.ts";
export * from "./providers/preset.ts";
export * from "./request.ts";
export * from "./stream-watch.ts";
