#!/usr/bin/env node
import { enableCompileCache } from "node:module";

// Plain JavaScript without static imports, so that an old Node reads it far enough to say what is wrong.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 24 || (major === 24 && minor < 4)) {
  console.error(
    `tuloy needs Node 24.4 or newer; this is ${process.versions.node}. In a checkout, "npm run tuloy -- <command>" uses the right one.`,
  );
  process.exit(1);
}
// What was stripped and compiled once is kept for the next start: half of the start-up time.
enableCompileCache();
const { main } = await import("../src/cli/main.ts");
await main(process.argv);
