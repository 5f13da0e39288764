#!/usr/bin/env node
// Plain JavaScript without static imports, so that an old Node reads it far enough to say what is wrong.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 24 || (major === 24 && minor < 4)) {
  console.error(
    `tuloy needs Node 24.4 or newer; this is ${process.versions.node}. In a checkout, "npm run tuloy -- <command>" uses the right one.`,
  );
  process.exit(1);
}
const { enableCompileCache, registerHooks } = await import("node:module");
// What was stripped and compiled once is kept for the next start: half of the start-up time.
enableCompileCache();
// zod's index loads its messages in sixty languages, a tenth of the start. Only the English ones are used.
registerHooks({
  resolve: (specifier, context, next) => {
    const allLanguages = specifier === "../locales/index.js" && context.parentURL?.includes("/node_modules/zod/");
    return next(allLanguages ? "../locales/en.js" : specifier, context);
  },
});
const { main } = await import("../src/cli/main.ts");
await main(process.argv);
