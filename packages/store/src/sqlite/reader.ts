import type { Alert, Trace } from "@tuloy/contract";
import { alertKinds } from "@tuloy/contract";
import { Kysely, sql, type Expression, type ExpressionBuilder, type SqlBool } from "kysely";

import { notable } from "../batched-ledger.ts";
import type { LedgerReader, TraceLookup, TraceQuery, TraceRow, TraceSpan } from "../ledger.ts";
import { position, readTrace } from "../trace-text.ts";
import { openForReading } from "./database.ts";
import { NodeSqliteDialect } from "./dialect.ts";
import type { Schema } from "./schema.ts";

/** How many ids an ambiguous prefix is answered with. */
const listedIds = 10;

/** Rows read at once from a long span. */
const pageRows = 1000;

/**
 * Opens the records of a data directory for reading, also while a gateway is writing them.
 * @throws LedgerError
 */
export async function openSqliteReader(directory: string): Promise<LedgerReader> {
  const database = openForReading(directory);
  const db = new Kysely<Schema>({ dialect: new NodeSqliteDialect(database) });
  return {
    async list(query) {
      const rows = await db
        .selectFrom("traces")
        .select("detail")
        .where((eb) => eb.and(conditions(eb, query)))
        .orderBy("id", "desc")
        .limit(query.limit)
        .execute();
      return rows.map((row) => toRow(readTrace(row.detail)));
    },

    traces: (span) => tracesOf(db, span),

    async find(idOrPrefix) {
      const prefix = idOrPrefix.toLowerCase();
      if (!/^[0-9a-f]{1,32}$/.test(prefix)) return { found: "none" };
      const rows = await db
        .selectFrom("traces")
        .select(["id", "detail"])
        .where("id", ">=", prefix)
        // "g" follows the last hexadecimal digit.
        .where("id", "<", `${prefix}g`)
        .orderBy("id")
        .limit(listedIds)
        .execute();
      return lookup(rows);
    },

    async alerts({ limit, subject }) {
      const rows = await db
        .selectFrom("alerts")
        .select(["at", "kind", "subject", "message"])
        .$if(subject !== undefined, (found) => found.where("subject", "=", subject ?? ""))
        .orderBy("at", "desc")
        .orderBy("number", "desc")
        .limit(limit)
        .execute();
      return rows.flatMap(toAlert);
    },

    async close() {
      await db.destroy();
      database.close();
    },
  };
}

async function* tracesOf(db: Kysely<Schema>, { since, route, drill }: TraceSpan): AsyncGenerator<Trace> {
  // Ids begin with the time.
  let after = Math.max(0, Math.floor(since)).toString(16).padStart(12, "0");
  for (;;) {
    const rows = await db
      .selectFrom("traces")
      .select(["id", "detail"])
      .where("id", ">", after)
      .$if(route !== undefined, (query) => query.where(detail("route"), "=", route ?? ""))
      // Wherever it stands in the row. What else may say the same, such as a tag, is sorted out below.
      .$if(drill !== undefined, (query) => query.where(sql<SqlBool>`instr(detail, ${JSON.stringify(drill)}) > 0`))
      .orderBy("id")
      .limit(pageRows)
      .execute();
    for (const row of rows) {
      const trace = readTrace(row.detail);
      if (drill === undefined || concerns(trace, drill)) yield trace;
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < pageRows) return;
    after = last.id;
  }
}

function conditions(eb: ExpressionBuilder<Schema, "traces">, query: TraceQuery): Expression<SqlBool>[] {
  const all: Expression<SqlBool>[] = [];
  if (query.before !== undefined) all.push(eb("id", "<", query.before));
  if (query.failedOver === true) {
    // The first half is the partial index's own condition, without which SQLite does not use it.
    all.push(sql<SqlBool>`notable is not null and notable & ${notable.failedOver} <> 0`);
  } else if (query.failedOver === false) {
    all.push(sql<SqlBool>`ifnull(notable, 0) & ${notable.failedOver} = 0`);
  }
  if (query.outcomes !== undefined) {
    if (!query.outcomes.includes("succeeded")) all.push(eb("notable", "is not", null));
    all.push(eb(detail("outcome"), "in", query.outcomes));
  }
  if (query.model !== undefined) {
    all.push(eb.or([eb(detail("model"), "=", query.model), eb(detail("requestedModel"), "=", query.model)]));
  }
  if (query.provider !== undefined) all.push(eb(detail("provider"), "=", query.provider));
  if (query.environment !== undefined) all.push(eb(detail("environment"), "=", query.environment));
  return all;
}

function concerns(trace: Trace, drillId: string): boolean {
  return trace.drill === drillId || trace.attempts.some(({ drill }) => drill === drillId);
}

function detail(field: keyof typeof position): Expression<string> {
  return sql<string>`detail ->> ${sql.lit(`$[${position[field]}]`)}`;
}

function lookup(rows: readonly { id: string; detail: string }[]): TraceLookup {
  const [first, ...others] = rows;
  if (first === undefined) return { found: "none" };
  if (others.length === 0) return { found: "one", trace: readTrace(first.detail) };
  return { found: "several", ids: rows.map((row) => row.id) };
}

function toRow(trace: Trace): TraceRow {
  return {
    id: trace.id,
    started_at: trace.started_at,
    environment: trace.environment,
    requested_model: trace.requested_model,
    model: trace.model,
    outcome: trace.outcome,
    status: trace.status,
    failover: trace.failover,
    provider: trace.provider,
    attempts: trace.attempts.length,
    first_token_ms: trace.first_token_ms,
    duration_ms: trace.duration_ms,
    cost_usd: trace.cost_usd,
    drill: trace.drill,
  };
}

/** An alert of a kind that this version does not know is left out. */
function toAlert(row: { at: number; kind: string; subject: string; message: string }): Alert[] {
  const kind = alertKinds.find((known) => known === row.kind);
  return kind === undefined ? [] : [{ at: row.at, kind, subject: row.subject, message: row.message }];
}
