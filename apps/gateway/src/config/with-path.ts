import type { ProviderPreset } from "@tuloy/dialects";

/**
 * A `base_url` as it is meant: whoever gives only the host of a kind whose API has a known path means that path. Where the kind
 * shows no form, or the address has a path of its own, it is taken as it is.
 */
export function withPath(
  baseUrl: string | undefined,
  { baseUrlForm }: Pick<ProviderPreset, "baseUrlForm">,
): string | undefined {
  if (baseUrl === undefined || baseUrlForm === undefined) return baseUrl;
  const url = new URL(baseUrl);
  const { pathname } = new URL(baseUrlForm);
  // A placeholder within the path can't be made up.
  return url.pathname !== "/" || /[A-Z]/.test(pathname) ? baseUrl : `${url.origin}${pathname}`;
}
