import type { DatabaseSync } from "node:sqlite";

import { idempotencyOperator, type IdempotencyAnswer, type IdempotencyOperation } from "./idempotency-operations.ts";
import {
  isResponseOperation,
  responseOperator,
  type ResponseAnswer,
  type ResponseOperation,
} from "./response-operations.ts";

/** What the writing thread is asked to do besides writing batches of the ledger. */
export type Operation = IdempotencyOperation | ResponseOperation;
export type OperationAnswer = IdempotencyAnswer | ResponseAnswer;

const outlasting: ReadonlySet<Operation["do"]> = new Set<Operation["do"]>([
  "finish",
  "keep_response",
  "claim_conversation",
]);

/** Carries out operations in one transaction. @returns a function that throws when none of them was carried out */
export function operator(database: DatabaseSync): (operations: readonly Operation[]) => OperationAnswer[] {
  const begin = database.prepare("begin immediate");
  const commit = database.prepare("commit");
  const rollback = database.prepare("rollback");
  const idempotency = idempotencyOperator(database);
  const responses = responseOperator(database);
  const operate = (operation: Operation): OperationAnswer =>
    isResponseOperation(operation) ? responses(operation) : idempotency(operation);
  return (operations) => {
    // What a client is about to be told must survive a power cut; a claim need not: with it, the request is gone too.
    const lasting = operations.some((operation) => outlasting.has(operation.do));
    if (lasting) database.exec("pragma synchronous = full");
    try {
      begin.run();
      try {
        const answers = operations.map(operate);
        commit.run();
        return answers;
      } catch (error) {
        // SQLite has rolled back by itself after some errors (a full disk): then there is nothing left to roll back.
        if (database.isTransaction) rollback.run();
        throw error;
      }
    } finally {
      if (lasting) database.exec("pragma synchronous = normal");
    }
  };
}
