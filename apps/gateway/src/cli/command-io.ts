import type { Writable } from "node:stream";
import { styleText } from "node:util";

/** What a command touches of its process, so that a test can stand in for it. */
export interface CommandIo {
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly directory: string;
  /** What the process will end with, once nothing is left to do. */
  setExitCode(code: number): void;
}

export const processIo: CommandIo = {
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
  directory: process.cwd(),
  setExitCode: (code) => void (process.exitCode = code),
};

type Style = Parameters<typeof styleText>[0];

/** Styled where a person sees it: on a terminal, and not when NO_COLOR is set. */
export function styled(style: Style, text: string, stream: Writable): string {
  return styleText(style, text, { stream });
}
