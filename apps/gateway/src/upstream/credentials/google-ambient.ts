import type { AnyAuthClient } from "google-auth-library";

import type { FetchedToken } from "./token-keeper.ts";

/** What a token is to permit. */
export const scope = "https://www.googleapis.com/auth/cloud-platform";

/**
 * Tokens for what the machine itself may do, as Google's own tools find it: the file that GOOGLE_APPLICATION_CREDENTIALS names, what
 * gcloud signed in as, workload identity, or the machine's metadata server. Where to ask is the machine's own affair and not the
 * configuration's, and the metadata server is at an address that no provider may have: so the library asks by itself, and the word
 * `ambient` in the operator's file is the permission. It is loaded with the first call, since that takes a quarter of a second.
 * @param project spares the library asking Google for it
 */
export function ambientTokens(project: string | null): () => Promise<FetchedToken> {
  let found: Promise<AnyAuthClient> | null = null;
  return async () => {
    try {
      const client = await (found ??= find(project));
      const headers = await client.getRequestHeaders();
      return { headers: [...headers].flat(), expiresAt: client.credentials.expiry_date ?? 0 };
    } catch (error) {
      // What was not there may be there the next time.
      found = null;
      // What JSON.parse says quotes the file.
      if (error instanceof SyntaxError)
        return { denied: "rejected", reason: "no ambient credential: its file is not valid JSON" };
      if (!isFinal(error)) throw error;
      return { denied: "rejected", reason: `no ambient credential: ${error instanceof Error ? error.message : ""}` };
    }
  };
}

async function find(project: string | null): Promise<AnyAuthClient> {
  const { GoogleAuth } = await import("google-auth-library");
  const auth = new GoogleAuth({ scopes: scope, ...(project === null ? {} : { projectId: project }) });
  return auth.getClient();
}

/** Whether it is the credential: there is none, or it is no longer good. */
function isFinal(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const status: unknown = "status" in error ? error.status : undefined;
  return (
    status === 400 || status === 401 || /could not load the default credentials|invalid_grant/i.test(error.message)
  );
}
