import type { Catalog, ComparedModel } from "@tuloy/catalog";
import type {
  ContinuationWay,
  Deployment,
  FailoverSettings,
  KeyLimits,
  ModelReport,
  Operation,
  ProbeSettings,
  Retention,
} from "@tuloy/contract";
import type { ProviderPreset } from "@tuloy/dialects";
import type { KeyReservation, PlanPolicy } from "@tuloy/routing";

import type { KeyRing } from "./key-ring.ts";

/** One credential at a provider. */
interface ProviderKey {
  readonly name: string;
  /** The secret. It goes into a request's header and nowhere else; it is never logged. */
  readonly value: string;
  readonly weight: number;
  readonly limits: KeyLimits;
  /** Whom it is kept for; null: for everybody. */
  readonly reserved: KeyReservation | null;
}

export interface Provider {
  readonly name: string;
  readonly preset: ProviderPreset;
  /** Without a trailing slash, with its path: `https://api.openai.com/v1`. */
  readonly baseUrl: string;
  /** `private` permits addresses that the outbound guard denies to others (loopback, RFC 1918, …). */
  readonly visibility: "public" | "private";
  readonly region: string | null;
  /** The id of the project whose API it is, for kinds that have projects. */
  readonly project: string | null;
  /** Which of the provider's locations is called; null where there is only one. */
  readonly location: string | null;
  /** How it goes on with an answer that broke off; null: that is found out before the first use. */
  readonly continuation: ContinuationWay | null;
  readonly keys: readonly ProviderKey[];
  readonly probes: ProbeSettings;
}

/** A canonical model with everything that serves it, in the file's order of providers. */
export interface ModelEntry {
  readonly model: string;
  readonly operation: Operation;
  readonly deployments: readonly Deployment[];
  /** Canonical names of models that may stand in for it, in order, as the file lists them. */
  readonly equivalents: readonly string[];
  /** What it is compared with others by. */
  readonly compared: ComparedModel;
}

export interface RouteMatch {
  readonly operation: Operation | null;
  /** Globs on the canonical model, compiled. Null: any. */
  readonly models: readonly RegExp[] | null;
  readonly workspaces: ReadonlySet<string> | null;
  readonly environments: ReadonlySet<string> | null;
  /** Names in lower case, each with the value that it must have. Null: any. */
  readonly headers: readonly (readonly [name: string, value: string])[] | null;
}

export interface Route extends PlanPolicy {
  readonly name: string;
  readonly match: RouteMatch;
  readonly failover: FailoverSettings;
  readonly reportModel: ModelReport;
  readonly retention: Retention;
}

/**
 * The compiled configuration: immutable. A change builds a new one and swaps it; a request keeps the one it started with.
 */
export interface Snapshot {
  /** First 12 hex digits of the SHA-256 of the configuration's text. */
  readonly version: string;
  readonly keyRing: KeyRing;
  readonly providers: ReadonlyMap<string, Provider>;
  /** By canonical name. */
  readonly models: ReadonlyMap<string, ModelEntry>;
  /** Exact other names of canonical models, `author/model` included. */
  readonly aliases: ReadonlyMap<string, string>;
  /** Provider's name → its own id of a model → the canonical model, for `@provider/id`. */
  readonly ownIds: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** First match wins; the last one matches everything. */
  readonly routes: readonly Route[];
  /** By provider, the workspaces whose requests may not name what is stored in its account; null: nothing is refused to any. */
  readonly idsRefused: ReadonlyMap<string, ReadonlySet<string>> | null;
  /** What is known of models that nobody here serves, and of their ids. */
  readonly catalog: Catalog;
}
