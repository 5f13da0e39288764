/**
 * The steps that made the schema, oldest first; each is in `migrations.ts`. Names sort in the order in which they run; a
 * published step is never changed. They are named here so that opening a database that has had them all need not load
 * Kysely, which takes longer than everything else at start (250 ms of 340 measured); a new database is made from
 * `new-database.ts`, which each further step changes too.
 */
export const migrationNames = [
  "0001_traces_and_alerts",
  "0002_idempotency",
  "0003_responses",
  "0004_conversations",
  "0005_conversations_end",
  "0006_bytes_kept",
] as const;
export type MigrationName = (typeof migrationNames)[number];

/** The tables as they are after the last migration. */
export interface Schema {
  traces: { id: string; notable: number | null; detail: string };
  idempotency: {
    id: string;
    asked: string;
    holder: string;
    state: number;
    until: number;
    content: Uint8Array | null;
    bytes: number;
  };
  responses: { id: string; provider: string; key: string; until: number };
  conversations: { id: string; owner: string; until: number };
  alerts: { number: number; at: number; kind: string; subject: string; message: string };
}
