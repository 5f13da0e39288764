import { presetKinds, presetOf, type ProviderPreset } from "@tuloy/dialects";

/** What is known of a kind of provider, as `--json` prints it. Null: unknown, or it depends. */
export interface KindView {
  readonly kind: string;
  readonly base_url: string | null;
  /** What a `base_url` looks like where the kind has none of its own. */
  readonly base_url_form: string | null;
  /** By operation, the first one first. */
  readonly dialects: Readonly<Record<string, readonly string[]>>;
  readonly key_required: boolean;
  readonly continuation: string | null;
  readonly prompt_caching: string | null;
  readonly retains: boolean | null;
  readonly trains: boolean | null;
  readonly data_policy: string | null;
  readonly refuses: readonly string[];
  readonly quirks: readonly string[];
  /** Its documentation was read and each particular is tested. */
  readonly verified: boolean;
  readonly docs: string | null;
}

/** Every kind that a configuration may name, by name. */
export function kindViews(): KindView[] {
  return presetKinds
    .flatMap((kind) => presetOf(kind) ?? [])
    .map(kindView)
    .toSorted((one, other) => (one.kind < other.kind ? -1 : 1));
}

function kindView(preset: ProviderPreset): KindView {
  const { kind, baseUrl, baseUrlForm = null, endpoints, keyRequired, continuation, promptCaching } = preset;
  const { retains, trains, dataPolicy, refuses, quirks, verified, docs } = preset;
  return {
    kind,
    base_url: baseUrl,
    base_url_form: baseUrlForm,
    dialects: Object.fromEntries(
      Object.entries(endpoints).map(([operation, of]) => [operation, [...new Set(of.map(({ dialect }) => dialect))]]),
    ),
    key_required: keyRequired,
    continuation,
    prompt_caching: promptCaching,
    retains,
    trains,
    data_policy: dataPolicy,
    refuses,
    quirks,
    verified,
    docs,
  };
}

/** A fact of yes, no or nobody knows. */
export function answerOf(fact: boolean | null): string {
  return fact === null ? "unknown" : fact ? "yes" : "no";
}

/** How it goes on with an answer that broke off, in a word. */
export function continuationWord({ continuation }: Pick<KindView, "continuation">): string {
  return continuation === null ? "by model or probe" : continuation === "none" ? "no" : continuation;
}
