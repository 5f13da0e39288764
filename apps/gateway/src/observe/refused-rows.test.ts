import type { RefusedRow } from "@tuloy/store";
import { Writable } from "node:stream";
import { expect, it } from "vitest";

import { createLog } from "./log.ts";
import { tellRefused } from "./refused-rows.ts";

function told(rows: readonly RefusedRow[]): { readonly alerts: string[][]; readonly logged: unknown[] } {
  const alerts: string[][] = [];
  const logged: unknown[] = [];
  const stdout = new Writable({
    write(line: Buffer, _encoding, done) {
      logged.push(JSON.parse(line.toString()));
      done();
    },
  });
  tellRefused(rows, { alert: (...words) => void alerts.push(words) }, createLog({ stdout, environment: {} }, "info"));
  return { alerts, logged };
}

const trace = (name: string): RefusedRow => ({ row: "trace", name, reason: "too big" });

it("names the lost trace and the database's reason in an alert", () => {
  expect(told([trace("0a1b")])).toEqual({
    alerts: [
      [
        "record_refused",
        "0a1b",
        "The database refuses the trace 0a1b (too big): it is lost, what else came with it is written.",
      ],
    ],
    logged: [],
  });
});

it("makes one alert of a batch, however many are refused", () => {
  const { alerts } = told(Array.from({ length: 200 }, (_, index) => trace(`t${index}`)));
  expect(alerts).toHaveLength(1);
  expect(alerts[0]?.[2]).toContain("So it is with t1 (too big), t2 (too big)");
  expect(alerts[0]?.[2]).toContain("t9 (too big), 190 more.");
  expect(alerts[0]?.[2]).not.toContain("t10 ");
});

it("makes no alert of a refused alert, which might be refused in turn, but a line in the log", () => {
  const { alerts, logged } = told([{ row: "alert", name: "breaker_opened a/b", reason: "too big" }]);
  expect(alerts).toEqual([]);
  expect(logged).toMatchObject([
    { level: "error", event: "record_refused", msg: "The database refuses the alert breaker_opened a/b: too big." },
  ]);
});
