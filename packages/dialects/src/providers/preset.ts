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
  /** With class `auth`: whether the credential itself is no good. Absent: by the status. */
  readonly auth?: "rejected" | "forbidden";
  /** Why this row is here: the provider's page or the observed answer. */
  readonly because: string;
}

/** Where and how a provider takes one operation in one dialect. */
export interface Endpoint {
  readonly dialect: Dialect;
  /** Appended to the base URL. `{model}` in it stands for the provider's id for the model, percent-encoded. */
  readonly path: string;
  /** In place of the base URL's own path: some providers have their second dialect beside the first one's path, not below it. */
  readonly basePath?: string;
  /** For streams, where they have a path of their own. */
  readonly streamPath?: string;
  /**
   * A tool's name is so long at most and has no characters but ASCII letters, digits, `_` and `-`: anything else is answered with
   * 400. Absent: unknown, and others take more.
   */
  readonly longestToolName?: number;
  /** Where it counts a prompt without answering it; absent: nowhere. */
  readonly countPath?: string;
  /** Only for ids that begin so; absent: for all. The first endpoint whose condition holds is the one for its dialect. */
  readonly idPrefix?: string;
  /** Sent besides, unless the client's own of that name is forwarded. Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Where this endpoint wants the key otherwise than the provider's others do. */
  readonly auth?: KeyHeader;
  /** How a body differs from the dialect's plain form. */
  readonly body?: BodyWish;
  /** How chat messages differ from the dialect's plain form, where a provider refuses what others take or even make. */
  readonly messages?: MessageWish;
  /** It takes back what its answers had as `reasoning_details`, signatures of reasoning above all, by OpenRouter's names for makers. */
  readonly reasoningDetails?: true;
}

/** What a provider wants of a body's members. */
export interface BodyWish {
  /** Members that have another name there, by the dialect's. */
  readonly rename?: Readonly<Record<string, string>>;
  /** Members that are set when absent. */
  readonly set?: Readonly<Record<string, string | number | boolean>>;
  /** Members that it refuses; they are left out, and a note says so. */
  readonly without?: readonly string[];
  /** Members that are left out since the path or a header says it. */
  readonly saidElsewhere?: readonly string[];
  readonly userId?: UserIdWish;
}

/** An id of a user may have no characters but ASCII letters, digits, `_` and `-`: any other is sent as its digest. */
export interface UserIdWish {
  /** The names on the way to it: `["metadata", "user_id"]`. */
  readonly at: readonly string[];
  /** How many of them at most. */
  readonly longest: number;
}

/** What a provider wants of chat messages, so that a conversation that began elsewhere can go on there. */
export interface MessageWish {
  /** Members of a message that it refuses; they are left out. */
  readonly without?: readonly string[];
  /** The same of a call in a message. */
  readonly callsWithout?: readonly string[];
  /** The same of a part of a message's content. */
  readonly partsWithout?: readonly string[];
  /** Ids of tool calls must be no longer; others are given one, the same one every time. */
  readonly longestCallId?: number;
  /** Ids of tool calls must be so many letters and digits, and nothing else; others are given one, the same one every time. */
  readonly callIdLength?: number;
  /**
   * While its models think, it refuses a message with calls that has no `reasoning_content`. One that began elsewhere has none; an
   * empty one is enough.
   */
  readonly reasoningWithCalls?: true;
}

/** A key in a header. */
export interface KeyHeader {
  readonly header: string;
  readonly prefix: string;
}

/** How a call shows that it is allowed. `none` sends no key. */
export type ProviderAuth =
  | KeyHeader
  | "none"
  /** AWS Signature Version 4 over the whole request, with the process's or the key's own credentials. */
  | { readonly scheme: "aws-sigv4"; readonly service: string }
  /** A bearer token from Google's OAuth, by service account or ambient credentials. */
  | { readonly scheme: "google-oauth" };

/** A kind of provider, as data: everything that differs from one to the next. Adding a provider is adding one of these. */
export interface ProviderPreset {
  /** The `kind` of the configuration file. */
  readonly kind: string;
  /**
   * Null: the configuration must give a `base_url`. `{project}` and `{location}` in it stand for what the configuration says of the
   * provider.
   */
  readonly baseUrl: string | null;
  /** What that `base_url` looks like: shown where it is missing, and its path is that of a `base_url` without one. */
  readonly baseUrlForm?: string;
  /** What is deployed there only its owner knows, so the configuration must name the models. */
  readonly modelsAreOwn?: true;
  /** Hosts of locations that the base URL's own host does not hold for. */
  readonly locationHosts?: ReadonlyMap<string, string>;
  /** In which of our regions a location is. Absent: a location is a region by the same name. One that is not listed: unknown. */
  readonly locationRegions?: ReadonlyMap<string, string>;
  /**
   * Ids that begin so, or a part of which does, are computed in this region whatever the location, since they span several; null:
   * nobody but the configuration can say where. Absent: there are none such.
   */
  readonly idRegions?: ReadonlyMap<string, string | null>;
  /**
   * What it serves; an operation that is absent is not served. Several dialects: a client that speaks one of them is forwarded,
   * any other is translated into the first.
   */
  readonly endpoints: Partial<Readonly<Record<Operation, readonly Endpoint[]>>>;
  readonly auth: ProviderAuth;
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
  /** How a prompt's beginning is kept for the next one: by itself, by marks in the request, or not (or nobody knows). */
  readonly promptCaching: "automatic" | "marks" | null;
  /** Whether it keeps what it is sent, beyond answering it, unless agreed otherwise. Null: unknown, or it depends. */
  readonly retains: boolean | null;
  /** Whether it trains on what it is sent, unless agreed otherwise. Null: unknown, or it depends. */
  readonly trains: boolean | null;
  /** The page on which the two stand. */
  readonly dataPolicy: string | null;
  /** What a person should know who uses it, a sentence each. */
  readonly quirks: readonly string[];
  /** Its documentation was read for this, and each particular has a test. Else this is made from public facts alone. */
  readonly verified: boolean;
  /** The provider's own documentation. */
  readonly docs: string | null;
}
