export * from "./attempt.ts";
export * from "./breaker.ts";
export * from "./course.ts";
export * from "./health.ts";
export * from "./key-pool.ts";
export * from "./plan.ts";
