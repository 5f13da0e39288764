import type { DatabaseSync } from "node:sqlite";

import { responseSweepRows, type ClaimConversation, type KeepResponse, type ResponsePlace } from "../responses.ts";

/** What the writing thread is asked to do about responses that providers keep. */
export type ResponseOperation =
  | ({ readonly do: "keep_response" } & KeepResponse)
  | { readonly do: "find_response"; readonly id: string; readonly now: number }
  | { readonly do: "forget_response"; readonly id: string }
  | { readonly do: "sweep_responses"; readonly now: number }
  | ({ readonly do: "claim_conversation" } & ClaimConversation);

export type ResponseAnswer =
  | { readonly kind: "response_kept" }
  | { readonly kind: "response_found"; readonly place: ResponsePlace | null }
  | { readonly kind: "response_forgotten" }
  | { readonly kind: "responses_swept"; readonly deleted: number }
  | { readonly kind: "conversation_claimed"; readonly owned: boolean };

export function isResponseOperation(operation: { readonly do: string }): operation is ResponseOperation {
  return operation.do.includes("response") || operation.do === "claim_conversation";
}

/** @returns a function that carries out one operation, inside whatever transaction there is */
export function responseOperator(database: DatabaseSync): (operation: ResponseOperation) => ResponseAnswer {
  const keep = database.prepare(
    `insert into responses (id, provider, key, until) values (?, ?, ?, ?)
     on conflict (id) do update set provider = excluded.provider, key = excluded.key, until = excluded.until`,
  );
  const find = database.prepare("select provider, key from responses where id = ? and until > ?");
  // Of somebody else's, only one whose time is over is taken.
  const claim = database.prepare(
    `insert into conversations (id, owner, until) values (?, ?, ?)
     on conflict (id) do update set owner = excluded.owner, until = excluded.until
     where conversations.owner = excluded.owner or conversations.until <= ?`,
  );
  const forget = database.prepare("delete from responses where id = ?");
  const expire = database.prepare(
    `delete from responses where id in (select id from responses where until <= ? order by until limit ${responseSweepRows})`,
  );
  const expireConversations = database.prepare(
    "delete from conversations where id in (select id from conversations where until <= ? order by until limit ?)",
  );
  return (operation) => {
    switch (operation.do) {
      case "keep_response": {
        const { ids, place, until } = operation;
        for (const id of ids) keep.run(id, place.provider, place.key, until);
        return { kind: "response_kept" };
      }
      case "find_response": {
        const row = find.get(operation.id, operation.now);
        const place = row === undefined ? null : { provider: String(row["provider"]), key: String(row["key"]) };
        return { kind: "response_found", place };
      }
      case "forget_response":
        forget.run(operation.id);
        return { kind: "response_forgotten" };
      case "sweep_responses": {
        const responses = Number(expire.run(operation.now).changes);
        const conversations = Number(expireConversations.run(operation.now, responseSweepRows - responses).changes);
        return { kind: "responses_swept", deleted: responses + conversations };
      }
      case "claim_conversation": {
        const { id, owner, now, until } = operation;
        return { kind: "conversation_claimed", owned: claim.run(id, owner, until, now).changes > 0 };
      }
    }
  };
}
