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

/** How every command prints JSON of one thing: an object, indented for a person who looks at it. */
export function printJson(value: object, { stdout }: CommandIo): void {
  stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** How every command prints JSON of a list: an object a line, so that it can be cut, filtered and followed; nothing for an empty one. */
export function printJsonLines(values: readonly object[], { stdout }: CommandIo): void {
  for (const value of values) stdout.write(`${JSON.stringify(value)}\n`);
}

/** What `--json` of a command that lists is described with. */
export const jsonOfList = ["--json", "print JSON, one object a line"] as const;
/** The same where it lists, or shows one. */
export const jsonOfBoth = ["--json", "print JSON: one object a line when listing"] as const;
