import type { DatabaseSync } from "node:sqlite";

import { Kysely, sql } from "kysely";
import { Migrator, type Migration } from "kysely/migration";

import { NodeSqliteDialect } from "./dialect.ts";
import type { MigrationName } from "./schema.ts";

const migrations: Readonly<Record<MigrationName, Migration>> = {
  "0001_traces_and_alerts": {
    async up(db: Kysely<unknown>) {
      // Clustered on the id, which begins with the time: an insert touches the last page and no other index, and the
      // newest traces lie together. Measured against a rowid table with an index on the id: 4.2 µs a row, not 4.7.
      await sql`
        create table traces (
          id text not null primary key,
          notable integer,
          detail text not null
        ) strict, without rowid`.execute(db);
      // Failed and failed-over requests are few and looked for often; the ordinary row pays nothing for this index.
      await sql`create index notable_traces on traces (id) where notable is not null`.execute(db);
      await sql`
        create table alerts (
          number integer primary key,
          at integer not null,
          kind text not null,
          subject text not null,
          message text not null
        ) strict`.execute(db);
      await sql`create index alerts_by_time on alerts (at)`.execute(db);
    },
  },
  "0002_idempotency": {
    async up(db: Kysely<unknown>) {
      // Not clustered, as the traces are: a row can hold megabytes.
      await sql`
        create table idempotency (
          id text not null primary key,
          asked text not null,
          holder text not null,
          state integer not null,
          until integer not null,
          content blob
        ) strict`.execute(db);
      await sql`create index idempotency_by_end on idempotency (until)`.execute(db);
    },
  },
  "0003_responses": {
    async up(db: Kysely<unknown>) {
      await sql`
        create table responses (
          id text not null primary key,
          provider text not null,
          key text not null,
          until integer not null
        ) strict, without rowid`.execute(db);
      await sql`create index responses_by_end on responses (until)`.execute(db);
    },
  },
  "0004_conversations": {
    async up(db: Kysely<unknown>) {
      await sql`
        create table conversations (
          id text not null primary key,
          owner text not null
        ) strict, without rowid`.execute(db);
    },
  },
  "0005_conversations_end": {
    async up(db: Kysely<unknown>) {
      await sql`alter table conversations rename to endless_conversations`.execute(db);
      await sql`
        create table conversations (
          id text not null primary key,
          owner text not null,
          until integer not null
        ) strict, without rowid`.execute(db);
      // 30 days from now on, as for one that is gone on with today.
      await sql`
        insert into conversations (id, owner, until)
        select id, owner, (unixepoch() + 30 * 86400) * 1000 from endless_conversations`.execute(db);
      await sql`drop table endless_conversations`.execute(db);
      await sql`create index conversations_by_end on conversations (until)`.execute(db);
    },
  },
  "0006_bytes_kept": {
    async up(db: Kysely<unknown>) {
      await sql`alter table idempotency add column bytes integer not null default 0`.execute(db);
      await sql`update idempotency set bytes = length(content) where content is not null`.execute(db);
      // What the answers take all together is asked for every minute: this holds all that is needed for it.
      await sql`create index idempotency_kept on idempotency (until, bytes) where state = 1`.execute(db);
    },
  },
};

/** Runs what the database has not had yet. One transaction around everything, so that a second process finds all of it or nothing. */
export async function migrate(database: DatabaseSync): Promise<void> {
  const db = new Kysely<unknown>({ dialect: new NodeSqliteDialect(database) });
  await db.transaction().execute(async (transaction) => {
    const provider = { getMigrations: () => Promise.resolve({ ...migrations }) };
    const { error } = await new Migrator({ db: transaction, provider }).migrateToLatest();
    if (error !== undefined) throw error;
  });
}
