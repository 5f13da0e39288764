import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { FakeClock } from "@tuloy/testkit";

import { describeResponses } from "../responses-conformance.ts";
import { openSqliteStore } from "./writer.ts";

describeResponses("SQLite", async () => {
  const directory = await mkdtemp(join(tmpdir(), "tuloy-store-"));
  const listener = { onTrouble: () => undefined, onRecovered: () => undefined, onRefused: () => undefined };
  return {
    open: async () => {
      const { ledger, responses } = await openSqliteStore({ directory, clock: new FakeClock(), listener });
      return { records: responses, close: () => ledger.close() };
    },
    remove: () => rm(directory, { recursive: true }),
  };
});
