import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { onTestFinished } from "vitest";

const program = fileURLToPath(new URL("../apps/gateway/bin/tuloy.mjs", import.meta.url));

/** A directory of the test's own, gone when it is over. */
export function scratchDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "tuloy-command-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export interface CommandOptions {
  /** Where it runs. Default: a scratch directory. */
  readonly directory?: string;
  /** What it finds in its environment, beyond PATH. */
  readonly environment?: Readonly<Record<string, string>>;
  /** An open file for its standard output, of which nothing is seen here then. Default: a pipe. */
  readonly stdout?: number;
  /** Whoever would read its standard output is gone from the beginning. */
  readonly unread?: boolean;
}

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A `tuloy` process. Killed when the test is over. */
class Tuloy {
  readonly #child: ChildProcess;
  #stdout = "";
  #stderr = "";
  #finished: Finished | null = null;
  readonly #waiting = new Set<() => void>();

  constructor(args: readonly string[], options: CommandOptions = {}) {
    const { directory = scratchDirectory(), environment = {}, stdout = "pipe" } = options;
    const child = spawn(process.execPath, [program, ...args], {
      cwd: directory,
      env: { PATH: process.env["PATH"] ?? "", ...environment },
      stdio: ["ignore", stdout, "pipe"],
    });
    this.#child = child;
    if (options.unread === true) child.stdout?.destroy();
    child.stdout?.on("data", (bytes: Buffer) => {
      this.#stdout += bytes.toString();
      this.#lookAgain();
    });
    child.stderr?.on("data", (bytes: Buffer) => {
      this.#stderr += bytes.toString();
      this.#lookAgain();
    });
    child.on("close", (code, signal) => {
      this.#finished = { code, signal, stdout: this.#stdout, stderr: this.#stderr };
      this.#lookAgain();
    });
    onTestFinished(() => void child.kill("SIGKILL"));
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error("the process did not start");
    return this.#child.pid;
  }

  /** What it has printed so far. */
  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get running(): boolean {
    return this.#finished === null;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /**
   * Waits for what it prints, or for its end. Looked at only when either happens: the process needs the machine's time
   * more than its test does.
   */
  until<T>(condition: () => T | null | undefined, what: string, withinMs = 20_000): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
      };
      const look = (): void => {
        const value = condition();
        if (value !== null && value !== undefined) {
          settle();
          resolve(value);
        } else if (this.#finished !== null) {
          fail(`the process ended before ${what}`);
        }
      };
      const fail = (message: string): void => {
        settle();
        reject(new Error(`${message}: ${this.#stdout}${this.#stderr}`));
      };
      const timer = setTimeout(() => fail(`no ${what} within ${withinMs} ms`), withinMs);
      this.#waiting.add(look);
      look();
    });
  }

  #lookAgain(): void {
    for (const look of this.#waiting) look();
  }

  /** Waits until it has ended and everything that it printed is here. */
  finished(withinMs?: number): Promise<Finished> {
    return this.until(() => this.#finished, "its end", withinMs);
  }

  /** Waits until standard output holds this. */
  printed(pattern: RegExp): Promise<RegExpExecArray> {
    return this.until(() => pattern.exec(this.#stdout), String(pattern));
  }

  /** The log's lines with this `event`, once there are so many. */
  logged(event: string, count = 1): Promise<readonly Record<string, unknown>[]> {
    return this.until(() => {
      const lines = this.log().filter((line) => line["event"] === event);
      return lines.length >= count ? lines : null;
    }, `log line ${event}`);
  }

  /** The log's lines so far. */
  log(): Record<string, unknown>[] {
    const whole = this.#stdout.slice(0, this.#stdout.lastIndexOf("\n") + 1).split("\n");
    return whole.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** Resident memory in bytes. Linux only. */
  residentBytes(): number {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.pid}/status`, "utf8"))?.[1];
    return Number(kilobytes) * 1024;
  }

  /** Open sockets, listening ones included. Linux only. */
  openSockets(): number {
    const directory = `/proc/${this.pid}/fd`;
    return readdirSync(directory).filter((name) => target(join(directory, name)).startsWith("socket:")).length;
  }
}

/** A gateway in a process of its own. */
export class GatewayProcess extends Tuloy {
  /** Waits until it listens. @returns its address */
  async listening(): Promise<string> {
    const [, url = ""] = await this.printed(/listens on (http:\S+)/);
    return url;
  }
}

/** Runs a command to its end. */
export function run(args: readonly string[], options?: CommandOptions): Promise<Finished> {
  return new Tuloy(args, options).finished();
}

function target(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    // Closed while we were looking.
    return "";
  }
}
