import { DatabaseSync } from "node:sqlite";

import { describe, expect, it } from "vitest";

import { migrate } from "./migrations.ts";
import { createSchema } from "./new-database.ts";

/** Every table and index with its definition, and what the migrations' own tables hold. Times differ from run to run. */
function contents(database: DatabaseSync): unknown {
  const objects = database
    .prepare("select type, name, sql from sqlite_master order by name")
    .all()
    .map(({ type, name, sql }) => [
      type,
      name,
      typeof sql === "string"
        ? sql
            .toLowerCase()
            .replace(/\s+/g, " ")
            .replace(/ (?=[,)])/g, "")
        : sql,
    ]);
  const applied = database.prepare("select name from kysely_migration order by name").all();
  const stamps = database.prepare("select timestamp from kysely_migration").all();
  return {
    objects,
    applied: applied.map(({ name }) => name),
    stamped: stamps.every(({ timestamp }) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(String(timestamp))),
    lock: database.prepare("select id, is_locked from kysely_migration_lock").all(),
  };
}

describe("a new database", () => {
  it("is what running every migration makes", async () => {
    using migrated = new DatabaseSync(":memory:");
    using created = new DatabaseSync(":memory:");
    await migrate(migrated);
    expect(createSchema(created)).toBe(true);
    expect(contents(created)).toEqual(contents(migrated));
  });

  it("has no migration left to run", async () => {
    using database = new DatabaseSync(":memory:");
    createSchema(database);
    const before = contents(database);
    await migrate(database);
    expect(contents(database)).toEqual(before);
  });

  it("is what an older one becomes", async () => {
    using database = new DatabaseSync(":memory:");
    createSchema(database);
    const newest = contents(database);
    database.exec(`
      drop table responses; drop table conversations;
      drop index idempotency_kept; alter table idempotency drop column bytes;
      delete from kysely_migration where name > '0003'`);
    await migrate(database);
    expect(contents(database)).toEqual(newest);
  });

  it("keeps whose a conversation is when it becomes one that ends, for 30 days", async () => {
    using database = new DatabaseSync(":memory:");
    createSchema(database);
    database.exec(`
      drop table conversations;
      create table conversations (id text not null primary key, owner text not null) strict, without rowid;
      insert into conversations values ('conversation', 'owner');
      drop index idempotency_kept; alter table idempotency drop column bytes;
      delete from kysely_migration where name >= '0005'`);
    await migrate(database);
    expect(
      database
        .prepare("select id, owner, round((until / 1000 - unixepoch()) / 86400.0) as days from conversations")
        .all(),
    ).toEqual([{ id: "conversation", owner: "owner", days: 30 }]);
  });

  it("knows how long the answers are that were kept before that was written down", async () => {
    using database = new DatabaseSync(":memory:");
    createSchema(database);
    database.exec(`
      drop index idempotency_kept; alter table idempotency drop column bytes;
      insert into idempotency values ('kept', 'a', 'h', 1, 5, x'010203'), ('claimed', 'a', 'h', 0, 5, null);
      delete from kysely_migration where name >= '0006'`);
    await migrate(database);
    const rows = database.prepare("select id, bytes from idempotency order by id").all();
    expect(rows).toEqual([
      { id: "claimed", bytes: 0 },
      { id: "kept", bytes: 3 },
    ]);
  });

  it("is not made where there are tables already", () => {
    using database = new DatabaseSync(":memory:");
    database.exec("create table other (id integer)");
    expect(createSchema(database)).toBe(false);
    expect(database.prepare("select name from sqlite_master").all()).toEqual([{ name: "other" }]);
  });
});
