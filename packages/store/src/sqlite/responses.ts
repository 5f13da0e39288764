import type { ClaimConversation, KeepResponse, ResponsePlace, ResponseRecords } from "../responses.ts";
import { notFor, type Together } from "./together.ts";

/** Where responses are kept, in SQLite. */
export class SqliteResponses implements ResponseRecords {
  readonly #operations: Together;

  constructor(operations: Together) {
    this.#operations = operations;
  }

  async keep(request: KeepResponse): Promise<void> {
    await this.#operations.ask({ do: "keep_response", ...request });
  }

  async find(id: string, now: number): Promise<ResponsePlace | null> {
    const answer = await this.#operations.ask({ do: "find_response", id, now });
    if (answer.kind !== "response_found") throw notFor("find_response");
    return answer.place;
  }

  async forget(id: string): Promise<void> {
    await this.#operations.ask({ do: "forget_response", id });
  }

  async claim(request: ClaimConversation): Promise<boolean> {
    const answer = await this.#operations.ask({ do: "claim_conversation", ...request });
    if (answer.kind !== "conversation_claimed") throw notFor("claim_conversation");
    return answer.owned;
  }

  async sweep(now: number): Promise<number> {
    const answer = await this.#operations.ask({ do: "sweep_responses", now });
    if (answer.kind !== "responses_swept") throw notFor("sweep_responses");
    return answer.deleted;
  }
}
