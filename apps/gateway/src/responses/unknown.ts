import { clientError, type ClientError } from "@tuloy/contract";
import { isMadeHere } from "@tuloy/dialects";

const instead = 'Send the conversation itself in "input" instead; with "store": false no id is needed for it.';

/** An id that nobody keeps anything under, as far as is known for who asks. */
export function unknownId(id: string, param: string | null): ClientError {
  const named = id.slice(0, 100);
  const message = isMadeHere(id)
    ? `Nothing is kept under "${named}": the deployment that gave this answer does not keep any. ${instead}`
    : `Nothing is known of "${named}" here: it is wrong, older than 30 days, or was given to another environment. ${instead}`;
  return clientError("response_not_found", message, param === null ? {} : { param });
}

/** Why nobody else was asked, for who goes on from something that is kept. */
export function keptOnlyBy(provider: string): string {
  return `What the request goes on from is kept by ${provider} only, so nobody else was asked. ${instead}`;
}

/** The provider that keeps it can't be used any more. */
export function unreachable(id: string, provider: string, why: string, param: string): ClientError {
  return clientError(
    "invalid_request",
    `What "${id.slice(0, 100)}" stands for is kept by the provider ${provider} only, and ${why}. ${instead}`,
    { param },
  );
}
