import type { ContinuationWay, Dialect, FailureClass, Operation } from "@tuloy/contract";

import type { RateLimitHeaders } from "../rate-limits/headers.ts";

/** How one provider answers with an error, as a row: all given fields must match. Rows are tried in order, before the general table. */
export interface FailureMarker {
  readonly status?: number;
  /** The error object's `code` (or, where a provider has none, its `type`), compared exactly. */
  readonly code?: string;
  /** Found anywhere in the error's message, lower case. */
  readonly message?: string;
  readonly class: FailureClass;
  /** Why this row is here: the provider's page or the observed answer. */
  readonly because: string;
}

/** A kind of provider, as data: everything that differs from one to the next. Adding a provider is adding one of these. */
export interface ProviderPreset {
  /** The `kind` of the configuration file. */
  readonly kind: string;
  /** Null: the configuration must give a `base_url`. */
  readonly baseUrl: string | null;
  /** Which dialect and path serve an operation; an operation that is absent is not served. The path is appended to the base URL. */
  readonly endpoints: Partial<Readonly<Record<Operation, { readonly dialect: Dialect; readonly path: string }>>>;
  /** How the key is sent. `none` sends no key. */
  readonly auth: { readonly header: string; readonly prefix: string } | "none";
  /** A key must be configured. Self-hosted servers often need none. */
  readonly keyRequired: boolean;
  /** `stream_options.include_usage` is understood. */
  readonly streamUsage: boolean;
  /** Parameters of other dialects and servers that this kind answers with 400. What may be left out is, unless a request requires all. */
  readonly refuses: readonly string[];
  /** The most stop sequences; null: unknown. */
  readonly maxStops: number | null;
  /** How it goes on with an answer that broke off; `none`: it can't. Null: not known before it was tried. */
  readonly continuation: ContinuationWay | null;
  readonly markers: readonly FailureMarker[];
  /** With which headers it tells what is left of a key's budgets. Empty: it tells nothing, and nothing is looked for. */
  readonly rateLimitHeaders: readonly RateLimitHeaders[];
  /** The provider's own documentation. */
  readonly docs: string | null;
}
