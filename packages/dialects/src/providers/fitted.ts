import type { MessageTraits } from "../request.ts";
import { bodyFor, type Fitted } from "./body.ts";
import { messagesFor } from "./messages.ts";
import type { Endpoint } from "./preset.ts";

/**
 * A body in an endpoint's own terms.
 * @param traits of its messages; undefined: unknown
 * @returns null where the endpoint wants it as it is, whatever is in it
 */
export function fitted(
  endpoint: Pick<Endpoint, "body" | "messages">,
  body: Buffer,
  traits: MessageTraits | null | undefined,
): Fitted | null {
  const { body: ofBody, messages: ofMessages } = endpoint;
  if (ofBody === undefined && (ofMessages === undefined || traits === null)) return null;
  const first = bodyFor(endpoint, body);
  const second = messagesFor(endpoint, first.body, traits);
  return { body: second.body, notes: [...first.notes, ...second.notes] };
}
