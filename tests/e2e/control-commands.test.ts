import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { answersChat, collect, startUpstream } from "@tuloy/testkit";
import { expect, onTestFinished, test } from "vitest";

import { GatewayProcess, run, scratchDirectory, type Finished } from "../command.ts";
import { apiKey, configText, model } from "../harness.ts";

const stagingKey = "staging-key-of-sixteen-characters-and-more";

interface Setting {
  readonly directory: string;
  readonly configuration: (more?: string) => string;
  readonly command: (...args: readonly string[]) => Promise<Finished>;
  readonly start: () => Promise<{ readonly gateway: GatewayProcess; readonly ask: (key?: string) => Promise<string> }>;
}

async function setUp(): Promise<Setting> {
  const [a, b] = [await startUpstream(answersChat("From A.")), await startUpstream(answersChat("From B."))];
  onTestFinished(async () => void (await Promise.all([a.close(), b.close()])));
  const directory = scratchDirectory();
  const configuration = (more = ""): string =>
    configText({
      providers: { a: { url: a.url }, b: { url: b.url } },
      keys: [`{ name: stage, value: ${stagingKey}, environment: staging }`],
      more,
    });
  writeFileSync(join(directory, "tuloy.yaml"), configuration());
  return {
    directory,
    configuration,
    command: (...args) => run(args, { directory }),
    async start() {
      const gateway = new GatewayProcess(["start", "--port", "0"], { directory });
      const url = await gateway.listening();
      const ask = async (key = apiKey): Promise<string> => {
        const body = { model, messages: [{ role: "user", content: "Hi" }] };
        const { headers } = await collect(`${url}/v1/chat/completions`, {
          body,
          headers: { authorization: `Bearer ${key}` },
        });
        return String(headers["x-tuloy-provider"]);
      };
      return { gateway, ask };
    },
  };
}

test(
  "what is isolated stays out of use through a reload and a restart, until it is restored",
  { timeout: 60_000 },
  async () => {
    const { directory, configuration, command, start } = await setUp();
    const first = await start();
    expect(await first.ask()).toBe("a");
    const isolated = await command("providers", "isolate", "a", "--reason", "maintenance");
    expect(isolated).toMatchObject({ code: 0, stdout: `a/${model}: out of use.\n`, stderr: "" });
    expect(await first.ask()).toBe("b");

    const file = join(directory, "tuloy.yaml");
    writeFileSync(`${file}.new`, configuration("# changed"));
    renameSync(`${file}.new`, file);
    await first.gateway.logged("config_applied");
    expect(await first.ask()).toBe("b");

    first.gateway.signal("SIGKILL");
    await first.gateway.finished();
    const gone = await command("providers");
    expect(gone).toMatchObject({ code: 1, stdout: "" });
    expect(gone.stderr).toMatch(/No gateway runs on .* gone without a farewell.*tuloy start/);

    const second = await start();
    expect(await second.ask()).toBe("b");
    const listed = await command("providers");
    expect(listed.stdout).toMatch(
      new RegExp(`^a/${model} +isolated +\\S+ +1 of 1 usable +isolated by hand as a, .*: maintenance$`, "m"),
    );
    expect(listed.stdout).toMatch(new RegExp(`^b/${model} +closed +\\S+ +1 of 1 usable$`, "m"));
    const restored = await command("providers", "restore", "a", "--json");
    expect(JSON.parse(restored.stdout)).toEqual({ target: "a", deployments: [`a/${model}`], warnings: [] });
    expect(await second.ask()).toBe("a");

    second.gateway.signal("SIGTERM");
    await second.gateway.finished();
    const ended = await command("providers");
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(/No gateway runs on the data directory .*: start one with tuloy start/);
  },
);

test(
  "a drill is started, seen, stopped and reported from the command line, and its report outlives the gateway",
  { timeout: 60_000 },
  async () => {
    const { command, start } = await setUp();
    const { gateway, ask } = await start();
    const scope = ["--scope", "environment=staging", "--scope", "key=stage"];
    const started = await command(
      "drill",
      "start",
      "--provider",
      "a",
      "--fault",
      "503",
      ...scope,
      "--for",
      "5m",
      "--json",
    );
    expect(started).toMatchObject({ code: 0, stderr: "" });
    const { id } = JSON.parse(started.stdout) as { id: string };
    for (let request = 0; request < 3; request++) expect([await ask(stagingKey), await ask()]).toEqual(["b", "a"]);
    const listed = await command("drill", "list");
    expect(listed.stdout).toMatch(
      new RegExp(`^${id} +ends .* 503 at a for environment=staging and key=stage, for 5 m +3 +3$`, "m"),
    );

    const stopped = await command("drill", "stop", id);
    expect(stopped).toMatchObject({ code: 0, stderr: "" });
    expect(await ask(stagingKey)).toBe("a");
    for (const line of [
      /requests in scope +3$/m,
      /failed over +3$/m,
      /failed +0$/m,
      /served by +b 3$/m,
      /seen as +overloaded 3$/m,
      /time to recover +[\d.]+ m?s in the middle/m,
    ]) {
      expect(stopped.stdout).toMatch(line);
    }
    const [, trace = ""] = /tuloy traces ([0-9a-f]{32})/.exec(stopped.stdout) ?? [];
    const timeline = (await command("traces", trace)).stdout;
    expect(timeline).toContain(`In the scope of ${id}`);
    expect(timeline).toContain(`the fault of ${id} laid over it`);
    expect((await command("traces")).stdout).toMatch(/succeeded, drill/);
    // The operator is told what went on as news, not as trouble.
    const lines = gateway.log().filter((line) => line["drill"] === id);
    expect(lines.map(({ event, level }) => `${String(event)} ${String(level)}`)).toEqual(
      Array(3).fill("failed_over info"),
    );

    gateway.signal("SIGTERM");
    await gateway.finished();
    const report = await command("drill", "report", id, "--json");
    expect(JSON.parse(report.stdout)).toMatchObject({
      id,
      requests: 3,
      touched: 3,
      failed_over: 3,
      served_by: { b: 3 },
    });
    const unknown = await command("drill", "report", "drill-0");
    expect(unknown).toMatchObject({ code: 1, stdout: "" });
  },
);

test.each(["isolated.json", "control.key"])(
  "a gateway whose %s is damaged says so and does not start",
  async (name) => {
    const { directory, command } = await setUp();
    mkdirSync(join(directory, ".tuloy"));
    writeFileSync(join(directory, ".tuloy", name), "{");
    const { code, stderr } = await command("start", "--port", "0");
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`${name} is damaged: .*remove it`));
  },
);

test(
  "a drill under way ends with its gateway, and one that is asked for wrongly is refused with words",
  { timeout: 60_000 },
  async () => {
    const { command, start } = await setUp();
    const none = await command("drill", "start", "--provider", "a", "--fault", "503");
    expect(none).toMatchObject({ code: 1, stdout: "" });
    expect(none.stderr).toContain("tuloy start");
    const { gateway } = await start();
    const wrong = [
      [["--fault", "503"], /--provider/],
      [["--provider", "a", "--fault", "boom"], /boom/],
      [["--provider", "a", "--fault", "503", "--scope", "team=x"], /tag\.NAME/],
      [["--provider", "a", "--fault", "503", "--scope", "environment=production"], /--include-production/],
    ] as const;
    for (const [args, words] of wrong) {
      const refused = await command("drill", "start", ...args);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toMatch(words);
    }
    await command("drill", "start", "--provider", "a", "--fault", "503", "--for", "1h");
    gateway.signal("SIGTERM");
    expect((await gateway.finished()).stdout).toContain("the gateway is shutting down");
    const again = await start();
    expect((await command("drill", "list")).stdout).toBe("No drill is under way.\n");
    expect(await again.ask(stagingKey)).toBe("a");
  },
);
