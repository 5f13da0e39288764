import type { Operation } from "@tuloy/contract";

export interface ListedModel {
  readonly id: string;
  readonly ownedBy: string;
  /** Seconds since 1970. */
  readonly created: number;
}

function modelObject({ id, ownedBy, created }: ListedModel): object {
  return { id, object: "model", created, owned_by: ownedBy };
}

/** The body of `GET /models`. */
export function writeModelList(models: readonly ListedModel[]): Buffer {
  return Buffer.from(JSON.stringify({ object: "list", data: models.map(modelObject) }));
}

/** The body of `GET /models/{id}`. */
export function writeModel(model: ListedModel): Buffer {
  return Buffer.from(JSON.stringify(modelObject(model)));
}

/**
 * The smallest real request: lists of models stay healthy in outages, so only an answer proves that a deployment works.
 * @param hiddenReasoning such models refuse `max_tokens`, and with a single token they would not even begin to answer
 */
export function probeRequest(operation: Operation, upstreamModel: string, hiddenReasoning = false): Buffer {
  const limit = hiddenReasoning ? { max_completion_tokens: 16 } : { max_tokens: 1 };
  const request =
    operation === "chat"
      ? { model: upstreamModel, messages: [{ role: "user", content: "Hi" }], ...limit }
      : { model: upstreamModel, input: "Hi" };
  return Buffer.from(JSON.stringify(request));
}
