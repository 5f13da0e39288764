import type { DatabaseSync } from "node:sqlite";

import {
  sweepRows,
  type ClaimRequest,
  type ClaimResult,
  type FinishRequest,
  type SweepRequest,
  type SweepResult,
} from "../idempotency.ts";

/** What the writing thread is asked to do about idempotency keys. */
export type IdempotencyOperation =
  | ({ readonly do: "claim" } & ClaimRequest)
  | ({ readonly do: "finish" } & FinishRequest)
  | { readonly do: "release"; readonly id: string; readonly holder: string }
  | ({ readonly do: "sweep" } & SweepRequest);

export type IdempotencyAnswer =
  | ClaimResult
  | { readonly kind: "finished"; readonly kept: boolean }
  | { readonly kind: "released" }
  | ({ readonly kind: "swept" } & SweepResult);

/** In the column `state`. */
const states = { claimed: 0, stored: 1, spent: 2 } as const;

export const keptBytes = `select sum(bytes) as bytes from idempotency where state = ${states.stored}`;
export const oldestKept = `select id, bytes from idempotency where state = ${states.stored} order by until limit ${sweepRows}`;

/** @returns a function that carries out one operation, inside whatever transaction there is */
export function idempotencyOperator(database: DatabaseSync): (operation: IdempotencyOperation) => IdempotencyAnswer {
  const find = database.prepare(
    "select asked, holder, state, until, content from idempotency where id = ? and until > ?",
  );
  // The row of a key whose time is over is taken over; any other was found before.
  const claim = database.prepare(
    `insert into idempotency (id, asked, holder, state, until) values (?, ?, ?, ${states.claimed}, ?)
     on conflict (id) do update set asked = excluded.asked, holder = excluded.holder, state = excluded.state,
       until = excluded.until, content = null, bytes = 0`,
  );
  const finish = database.prepare(
    `insert into idempotency (id, asked, holder, state, until, content, bytes) values (?, ?, ?, ?, ?, ?, ?)
     on conflict (id) do update set asked = excluded.asked, holder = excluded.holder, state = excluded.state,
       until = excluded.until, content = excluded.content, bytes = excluded.bytes
     where idempotency.holder = excluded.holder or idempotency.until <= ?`,
  );
  const release = database.prepare(`delete from idempotency where id = ? and holder = ? and state = ${states.claimed}`);
  const expire = database.prepare(
    `delete from idempotency where id in (select id from idempotency where until <= ? order by until limit ${sweepRows})`,
  );
  // Both are answered by an index, without a look at any answer: with 180,000 answers of 2 KB in 20 ms and not in 1.4 s.
  const kept = database.prepare(keptBytes);
  const oldest = database.prepare(oldestKept);
  const empty = database.prepare(
    `update idempotency set content = null, bytes = 0, state = ${states.spent} where id = ?`,
  );

  /** @returns how many were emptied */
  function makeRoom(maxBytes: number): number {
    let excess = Number(kept.get()?.["bytes"] ?? 0) - maxBytes;
    if (excess <= 0) return 0;
    const emptied: unknown[] = [];
    for (const { id, bytes } of oldest.all()) {
      if (excess <= 0) break;
      excess -= Number(bytes);
      emptied.push(id);
    }
    for (const id of emptied) empty.run(String(id));
    return emptied.length;
  }

  return (operation) => {
    switch (operation.do) {
      case "claim": {
        const { id, asked, holder, now, until } = operation;
        const row = find.get(id, now);
        if (row !== undefined) return standing(row, asked);
        claim.run(id, asked, holder, until);
        return { kind: "claimed" };
      }
      case "finish": {
        const { id, asked, holder, now, until, content } = operation;
        const state = content === null ? states.spent : states.stored;
        const { changes } = finish.run(id, asked, holder, state, until, content, content?.length ?? 0, now);
        return { kind: "finished", kept: changes > 0 };
      }
      case "release":
        release.run(operation.id, operation.holder);
        return { kind: "released" };
      case "sweep": {
        const deleted = Number(expire.run(operation.now).changes);
        // While there is more to delete, that makes room too.
        return { kind: "swept", deleted, emptied: deleted < sweepRows ? makeRoom(operation.maxBytes) : 0 };
      }
    }
  };
}

/** What a key that is in use means for a request that asks for `asked`. */
function standing(row: Record<string, unknown>, asked: string): ClaimResult {
  if (row["asked"] !== asked) return { kind: "mismatch" };
  if (row["state"] === states.claimed) return { kind: "in_flight", until: Number(row["until"]) };
  const holder = String(row["holder"]);
  const { content } = row;
  return content instanceof Uint8Array ? { kind: "stored", holder, content } : { kind: "spent", holder };
}
