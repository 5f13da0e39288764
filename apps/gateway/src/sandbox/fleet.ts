import type { Clock, Config } from "@tuloy/contract";

import { startSandbox, type Sandbox } from "./sandbox.ts";

export interface FleetContext {
  readonly clock: Clock;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
}

/** The simulated providers that a configuration declares, each a server of its own, by provider name. */
export class SandboxFleet {
  readonly #context: FleetContext;
  readonly #running = new Map<string, { readonly sandbox: Sandbox; readonly settings: string }>();

  constructor(context: FleetContext) {
    this.#context = context;
  }

  get(provider: string): Sandbox | undefined {
    return this.#running.get(provider)?.sandbox;
  }

  /**
   * Starts those that are new and those whose settings changed.
   * @returns the base URL of each
   */
  async prepare(config: Config): Promise<ReadonlyMap<string, string>> {
    const urls = new Map<string, string>();
    for (const [name, provider] of Object.entries(config.providers)) {
      if (provider.kind !== "sandbox") continue;
      const settings = JSON.stringify([provider.sandbox, provider.keys, provider.models]);
      const before = this.#running.get(name);
      if (before?.settings === settings) {
        urls.set(name, before.sandbox.url);
        continue;
      }
      const sandbox = await startSandbox({ ...this.#context, ...optionsOf(provider) });
      this.#running.set(name, { sandbox, settings });
      urls.set(name, sandbox.url);
      // Its old requests end with it; the relay takes them elsewhere.
      await before?.sandbox.close();
    }
    return urls;
  }

  /** Ends those that the configuration no longer declares. After the new one holds, so that no request is sent to them. */
  async retire(config: Config): Promise<void> {
    for (const [name, { sandbox }] of this.#running) {
      if (config.providers[name]?.kind === "sandbox") continue;
      this.#running.delete(name);
      await sandbox.close();
    }
  }

  async close(): Promise<void> {
    const all = [...this.#running.values()];
    this.#running.clear();
    await Promise.all(all.map(({ sandbox }) => sandbox.close()));
  }
}

function optionsOf({
  sandbox,
  keys,
}: Config["providers"][string]): Omit<Parameters<typeof startSandbox>[0], "clock" | "random"> {
  return {
    ...(keys.length > 0 ? { apiKeys: keys.map(({ value }) => value) } : {}),
    ...(sandbox
      ? {
          tokensPerSecond: sandbox.tokens_per_second,
          firstTokenMs: sandbox.first_token,
          promptFaults: sandbox.prompt_faults,
          continuation: sandbox.continuation,
          ...(sandbox.answer_tokens === undefined ? {} : { answerTokens: sandbox.answer_tokens }),
        }
      : {}),
  };
}
