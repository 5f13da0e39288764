import type { CaseName } from "../options.ts";

/** A gateway to measure. Adding one is adding a file like those beside this one, and a line in `all.ts`. */
export interface Contender {
  /** For `--only`. */
  readonly name: string;
  /** For tables. */
  readonly title: string;
  /** The only cases in which it takes part; absent: all. */
  readonly cases?: readonly CaseName[];
  /** Starts it on the gateway's core and waits until it serves. */
  start(site: Site): Promise<StartOutcome>;
}

export interface Site {
  readonly upstreamPort: number;
  /** Its own empty directory: configuration, data, log. */
  readonly directory: string;
}

/** `ready: false` says in words why there is nothing to measure: not installed, did not start. */
export type StartOutcome =
  | { readonly ready: true; readonly gateway: Gateway }
  | { readonly ready: false; readonly why: string };

export interface Gateway {
  readonly pid: number;
  readonly origin: string;
  readonly version: string;
  /**
   * What a client must send besides its body: the key, and where the gateway wants it, the upstream. In a value, wrk puts
   * something for `{request}` that no other request has, and one of a thousand names for `{session}`.
   */
  readonly headers: Readonly<Record<string, string>>;
  /** From its spawn to its first answer that it is ready. */
  readonly readyMs: number;
  readonly stop: () => Promise<void>;
}

/** Every contender is called under OpenAI's own path. */
export const chatPath = "/v1/chat/completions";

/** Anthropic's own, for what a client of another dialect costs. */
export const messagesPath = "/v1/messages";
