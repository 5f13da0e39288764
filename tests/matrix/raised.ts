import Anthropic from "@anthropic-ai/sdk";

import { apiKey } from "../harness.ts";
import type { Client, Place } from "./clients.ts";
import { name } from "./scenes.ts";

/** What an SDK raised. */
export interface Raised {
  /** Of a stream, before. */
  readonly heard: string;
  /** All that the error says, in whatever member. */
  readonly told: string;
  readonly gist: {
    readonly kind: string;
    readonly status: unknown;
    readonly type: unknown;
    /** For an SDK that says so. */
    readonly isRetryable: unknown;
  };
}

interface Raising extends Pick<Place, "headers"> {
  /** Default: a greeting. */
  readonly user?: string;
}

/** What a caller has to go by. An answer that is taken for whole is an error of the test. */
export async function raised(
  client: Client,
  url: string,
  stream: boolean,
  { user = "Hi", headers }: Raising = {},
): Promise<Raised> {
  let heard = "";
  const more = headers === undefined ? {} : { headers };
  const place: Place = { url, key: apiKey, model: name, ...more, hears: (piece) => (heard += piece) };
  const error: unknown = await client
    .ask(place, { turns: [{ user }] }, stream)
    .then(() => null)
    .catch((thrown: unknown) => thrown);
  if (!(error instanceof Error)) throw new Error("no error was raised");
  const { status, statusCode, isRetryable, type, code, responseBody } = error as Error & Record<string, unknown>;
  return {
    heard,
    told: [error.message, code, responseBody].join(" "),
    gist: { kind: kindOf(error), status: status ?? statusCode, type, isRetryable },
  };
}

/** Anthropic's SDK has kinds of its class for all that fails there: 503 is one, 529 another. */
function kindOf(error: Error): string {
  return error instanceof Anthropic.InternalServerError ? "InternalServerError" : error.constructor.name;
}
