/** To run a gateway inside another process: what the command line uses, without the command line. */
export { systemClock } from "./clock.ts";
export { findConfig, type ConfigText } from "./config/source.ts";
export { launch, LaunchError, type Launched, type LaunchOptions } from "./launch.ts";
export { createLog, type Log } from "./observe/log.ts";
