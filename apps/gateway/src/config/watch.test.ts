import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { builtInCatalog } from "@tuloy/catalog";
import { eventually, FakeClock } from "@tuloy/testkit";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { compile } from "./compile.ts";
import { LiveConfig } from "./live.ts";
import { loadConfig } from "./read.ts";
import type { Snapshot } from "./snapshot.ts";
import { ConfigWatch } from "./watch.ts";
import type { ConfigEvent, ConfigWatchOptions } from "./watch.ts";

/** A configuration with one model of this name. */
function textWith(model: string, more = ""): string {
  return `providers: { x: { kind: openai-compatible, base_url: http://10.0.0.1, models: { ${model}: } } }\n${more}`;
}

function snapshotOf(text: string): Snapshot {
  const loaded = loadConfig(text, "tuloy.yaml", {});
  if (!loaded.ok) throw new Error("the test's own text is not valid");
  return compile(loaded.config, text, new Map());
}

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tuloy-watch-"));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

interface Watched {
  readonly live: LiveConfig;
  readonly events: ConfigEvent[];
  readonly watch: ConfigWatch;
  /** Lets the writer settle, and waits for the first or a later event of this kind. */
  readonly settled: (kind: ConfigEvent["kind"], count?: number) => Promise<ConfigEvent>;
  readonly models: () => string[];
}

function watching(path: string, text: string, options: Partial<ConfigWatchOptions> = {}): Watched {
  const live = new LiveConfig(snapshotOf(text));
  const clock = new FakeClock();
  const events: ConfigEvent[] = [];
  const watch = new ConfigWatch({
    path,
    name: "tuloy.yaml",
    text,
    live,
    started: { server: { host: "127.0.0.1", port: 8787 }, data: { dir: ".tuloy" } },
    environment: {},
    catalog: builtInCatalog,
    clock,
    prepare: (config, next) => compile(config, next, new Map()),
    tell: (event) => void events.push(event),
    ...options,
  });
  onTestFinished(() => watch.close());
  return {
    live,
    events,
    watch,
    settled: (kind, count = 1) =>
      eventually(() => {
        clock.advance(100);
        return events.filter((event) => event.kind === kind)[count - 1];
      }, `${kind}, number ${count}`),
    models: () => [...live.current.models.keys()],
  };
}

describe("a configuration file that changes", () => {
  it("holds from then on, and its listeners are told once", async () => {
    const path = join(directory, "tuloy.yaml");
    writeFileSync(path, textWith("one"));
    const { live, settled, models } = watching(path, textWith("one"));
    const kept = live.current;
    const told: Snapshot[] = [];
    const stop = live.onChange((next) => void told.push(next));

    writeFileSync(path, textWith("two"));

    expect(await settled("applied")).toEqual({
      kind: "applied",
      version: live.current.version,
      needRestart: [],
      warnings: [],
    });
    expect(models()).toEqual(["two"]);
    expect([...kept.models.keys()]).toEqual(["one"]);
    expect(told).toEqual([live.current]);
    stop();
    live.replace(kept);
    expect(told).toHaveLength(1);
  });

  it("is followed when an editor saves by renaming, and again after that", async () => {
    const path = join(directory, "tuloy.yaml");
    writeFileSync(path, textWith("one"));
    const { settled, models } = watching(path, textWith("one"));
    for (const [index, name] of ["two", "three"].entries()) {
      writeFileSync(join(directory, "tuloy.yaml~"), textWith(name));
      renameSync(join(directory, "tuloy.yaml~"), path);
      await settled("applied", index + 1);
      expect(models()).toEqual([name]);
    }
  });

  it("is followed when a config map swaps the directory that it is a link into, and again after that", async () => {
    const path = join(directory, "tuloy.yaml");
    const publish = (version: string): void => {
      mkdirSync(join(directory, `..${version}`));
      writeFileSync(join(directory, `..${version}`, "tuloy.yaml"), textWith(version));
      symlinkSync(`..${version}`, join(directory, "..data_tmp"));
      renameSync(join(directory, "..data_tmp"), join(directory, "..data"));
    };
    publish("one");
    symlinkSync("..data/tuloy.yaml", path);
    const { settled, models } = watching(path, textWith("one"));
    for (const [index, name] of ["two", "three"].entries()) {
      publish(name);
      await settled("applied", index + 1);
      expect(models()).toEqual([name]);
    }
  });

  it("is followed where a link points into another directory", async () => {
    mkdirSync(join(directory, "elsewhere"));
    const real = join(directory, "elsewhere", "real.yaml");
    const path = join(directory, "tuloy.yaml");
    writeFileSync(real, textWith("one"));
    symlinkSync(real, path);
    const { settled, models } = watching(path, textWith("one"));
    writeFileSync(real, textWith("two"));
    await settled("applied");
    expect(models()).toEqual(["two"]);
  });

  it("is told when it is not valid, and what held goes on holding", async () => {
    const path = join(directory, "tuloy.yaml");
    writeFileSync(path, textWith("one"));
    const { settled, models } = watching(path, textWith("one"));
    writeFileSync(path, `${textWith("two")}retunes: []\n`);
    expect(await settled("rejected")).toMatchObject({ problems: [{ path: "retunes", line: 2, column: 1 }] });
    expect(models()).toEqual(["one"]);
    writeFileSync(path, textWith("three"));
    await settled("applied");
    expect(models()).toEqual(["three"]);
  });

  it("names what needs a restart", async () => {
    const path = join(directory, "tuloy.yaml");
    writeFileSync(path, textWith("one"));
    const { settled, models } = watching(path, textWith("one"));
    writeFileSync(path, textWith("two", "server: { host: 0.0.0.0, port: 1 }\ndata: { dir: x }\n"));
    expect(await settled("applied")).toMatchObject({ needRestart: ["server.host", "server.port", "data.dir"] });
    expect(models()).toEqual(["two"]);
  });

  it("is told when it is gone, and followed when it is back", async () => {
    const path = join(directory, "tuloy.yaml");
    writeFileSync(path, textWith("one"));
    const { settled, models } = watching(path, textWith("one"));
    rmSync(path);
    expect(await settled("failed")).toEqual({ kind: "failed", message: "tuloy.yaml could not be applied: ENOENT" });
    expect(models()).toEqual(["one"]);
    writeFileSync(path, textWith("one"));
    await settled("applied");
  });
});

describe("reading the file again", () => {
  it("does nothing when it says what it said", async () => {
    const path = join(directory, "tuloy.yaml");
    writeFileSync(path, textWith("one"));
    const { live, watch, events } = watching(path, textWith("one"));
    const before = live.current;
    await watch.reload();
    expect(events).toEqual([]);
    expect(live.current).toBe(before);
  });

  it("tries again what could not be put into effect", async () => {
    const path = join(directory, "tuloy.yaml");
    writeFileSync(path, textWith("two"));
    let ports = 0;
    const { watch, events, models } = watching(path, textWith("one"), {
      prepare: (config, text) => {
        if (ports === 0) throw new Error("no free port");
        return compile(config, text, new Map());
      },
    });
    await watch.reload();
    expect(events).toEqual([{ kind: "failed", message: "tuloy.yaml could not be applied: no free port" }]);
    expect(models()).toEqual(["one"]);
    ports = 1;
    await watch.reload();
    expect(models()).toEqual(["two"]);
  });

  it("lets the later of two quick changes stay, however long the earlier takes", async () => {
    const path = join(directory, "tuloy.yaml");
    writeFileSync(path, textWith("two"));
    const first = Promise.withResolvers<void>();
    const { watch, models } = watching(path, textWith("one"), {
      prepare: async (config, text) => {
        if (text === textWith("two")) {
          writeFileSync(path, textWith("three"));
          await first.promise;
        }
        return compile(config, text, new Map());
      },
    });
    const both = [watch.reload(), watch.reload()];
    first.resolve();
    await Promise.all(both);
    expect(models()).toEqual(["three"]);
  });

  it("ends when it is closed", async () => {
    const path = join(directory, "tuloy.yaml");
    writeFileSync(path, textWith("two"));
    const { watch, models, events } = watching(path, textWith("one"));
    watch.close();
    await watch.reload();
    expect(models()).toEqual(["one"]);
    expect(events).toEqual([]);
  });
});
