import type { DatabaseSync } from "node:sqlite";

import { migrationNames } from "./schema.ts";

/**
 * What a database holds that has had every migration, in one go. A new one is made from this instead of running the
 * migrations: they need Kysely, and loading it is half of a first start. A test holds the two against each other.
 */
const statements: readonly string[] = [
  `create table "kysely_migration" ("name" varchar(255) not null primary key, "timestamp" varchar(255) not null)`,
  `create table "kysely_migration_lock" ("id" varchar(255) not null primary key, "is_locked" integer default 0 not null)`,
  `insert into "kysely_migration_lock" ("id", "is_locked") values ('migration_lock', 0)`,
  `create table traces (
    id text not null primary key,
    notable integer,
    detail text not null
  ) strict, without rowid`,
  `create index notable_traces on traces (id) where notable is not null`,
  `create table alerts (
    number integer primary key,
    at integer not null,
    kind text not null,
    subject text not null,
    message text not null
  ) strict`,
  `create index alerts_by_time on alerts (at)`,
  `create table idempotency (
    id text not null primary key,
    asked text not null,
    holder text not null,
    state integer not null,
    until integer not null,
    content blob, bytes integer not null default 0
  ) strict`,
  `create index idempotency_by_end on idempotency (until)`,
  `create index idempotency_kept on idempotency (until, bytes) where state = 1`,
  `create table responses (
    id text not null primary key,
    provider text not null,
    key text not null,
    until integer not null
  ) strict, without rowid`,
  `create index responses_by_end on responses (until)`,
  `create table conversations (
    id text not null primary key,
    owner text not null,
    until integer not null
  ) strict, without rowid`,
  `create index conversations_by_end on conversations (until)`,
];

/**
 * Makes the whole schema in an empty database, in one transaction.
 * @returns false when the database is not empty after all: another process was quicker, or it has older tables
 */
export function createSchema(database: DatabaseSync): boolean {
  database.exec("begin immediate");
  try {
    const empty = database.prepare("select 1 from sqlite_master").get() === undefined;
    if (empty) {
      for (const statement of statements) database.exec(statement);
      const applied = database.prepare(
        `insert into "kysely_migration" ("name", "timestamp") values (?, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))`,
      );
      for (const name of migrationNames) applied.run(name);
    }
    database.exec("commit");
    return empty;
  } catch (error) {
    if (database.isTransaction) database.exec("rollback");
    throw error;
  }
}
