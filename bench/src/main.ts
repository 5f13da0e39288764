import { compare } from "./compare.ts";
import { latency } from "./latency.ts";
import { type BenchOptions, type Command, parseOptions, usage } from "./options.ts";
import { outage } from "./outage.ts";
import { cleanUp, pinSelf } from "./processes.ts";
import { recovery } from "./recovery.ts";
import { renderSection, type Section, writeSection } from "./results.ts";
import { soak } from "./soak.ts";
import { startTimes } from "./start.ts";
import { streams } from "./streams.ts";
import { translate } from "./translate.ts";

const runs: Readonly<Record<Exclude<Command, "all">, (options: BenchOptions) => Promise<Section>>> = {
  compare,
  latency,
  recovery,
  outage,
  start: startTimes,
  streams,
  soak,
  translate,
};

async function main(args: readonly string[]): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(usage);
    return 0;
  }
  let options: BenchOptions;
  try {
    options = parseOptions(args);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return 2;
  }
  if (process.platform !== "linux") {
    console.error("The bench reads /proc and runs on Linux only.");
    return 2;
  }
  pinSelf();
  const wanted = Object.entries(runs).filter(([name]) => options.command === "all" || options.command === name);
  try {
    for (const [, run] of wanted) {
      const section = await run(options);
      console.log(`${renderSection(section)}\n`);
      if (options.write) writeSection(section);
      await cleanUp();
    }
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  } finally {
    await cleanUp();
  }
}

process.exitCode = await main(process.argv.slice(2));
