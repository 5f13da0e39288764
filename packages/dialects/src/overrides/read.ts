import {
  overrideSorts,
  quantizations,
  type ClientError,
  type MaxPrice,
  type OverrideSort,
  type RoutingOverrides,
} from "@tuloy/contract";

import { isObject, type JsonObject } from "../json/value.ts";
import { FieldReader } from "./field-reader.ts";

/**
 * The members of a body that are for the gateway, so that no provider gets them: OpenRouter's `provider`, `models` and
 * `session_id` (https://openrouter.ai/docs/guides/routing/provider-selection) and LiteLLM's `fallbacks`
 * (https://docs.litellm.ai/docs/proxy/client_side_fallbacks).
 */
export function isForTheGateway(key: string): boolean {
  return key === "provider" || key === "models" || key === "fallbacks" || key === "session_id";
}

const preferences = [
  "order",
  "only",
  "ignore",
  "allow_fallbacks",
  "sort",
  "max_price",
  "zdr",
  "data_collection",
  "require_parameters",
  "quantizations",
] as const;

/** What a request says of routing. */
export interface ReadOverrides {
  /** Null: nothing, which is the common case. */
  readonly overrides: RoutingOverrides | null;
  /** The first of `models` where the body names no `model`: then that is the model. */
  readonly model: string | null;
}

const none: ReadOverrides = { overrides: null, model: null };

/** Reads what a body says of routing; a fault names the field and what to write. */
export function readOverrides(fields: JsonObject): ReadOverrides | ClientError {
  const { provider, models, fallbacks } = fields;
  if ((provider ?? models ?? fallbacks ?? null) === null) return none;
  const reader = new FieldReader();
  const stated = readPreferences(reader, provider);
  const standIns = [
    ...(reader.list("models", models, { of: "models", empty: "absent", read: (at, item) => reader.name(at, item) }) ??
      []),
    ...(reader.list("fallbacks", fallbacks, {
      of: "models",
      empty: "absent",
      read: (at, item) => readFallback(reader, at, item),
    }) ?? []),
  ];
  if (reader.fault !== null) return reader.fault;
  const named = fields.model ?? null;
  const model = named === null ? (standIns[0] ?? null) : null;
  const others = [...new Set(standIns)].filter((name) => name !== (model ?? named));
  if (stated === null && others.length === 0) return { overrides: null, model };
  return { overrides: { ...(stated ?? nothingStated), models: others }, model };
}

const nothingStated: Omit<RoutingOverrides, "models"> = {
  order: null,
  only: null,
  ignore: null,
  allowFallbacks: true,
  sort: null,
  maxPrice: null,
  zdr: false,
  dataCollection: null,
  requireParameters: false,
  quantizations: null,
};

function readPreferences(reader: FieldReader, value: unknown): Omit<RoutingOverrides, "models"> | null {
  const given = reader.object("provider", value, preferences);
  if (given === null) return null;
  const providers = (key: "order" | "only" | "ignore", empty: "absent" | "refused"): readonly string[] | null =>
    reader.list(`provider.${key}`, given[key], { of: "providers", empty, read: (at, item) => reader.name(at, item) });
  const order = providers("order", "absent");
  const only = providers("only", "refused");
  const fallbacksAllowed = reader.flag("provider.allow_fallbacks", given.allow_fallbacks) ?? true;
  // With an order, "no fallbacks" means none beyond those listed: that is how OpenRouter restricts a request to a list.
  const closedOrder = !fallbacksAllowed && order !== null;
  return {
    order,
    only: closedOrder ? order.filter((name) => only === null || only.includes(name)) : only,
    ignore: providers("ignore", "absent"),
    allowFallbacks: fallbacksAllowed || closedOrder,
    sort: readSort(reader, given.sort),
    maxPrice: readMaxPrice(reader, given.max_price),
    zdr: reader.flag("provider.zdr", given.zdr) ?? false,
    dataCollection: reader.choice("provider.data_collection", given.data_collection, ["allow", "deny"]),
    requireParameters: reader.flag("provider.require_parameters", given.require_parameters) ?? false,
    quantizations: reader.list("provider.quantizations", given.quantizations, {
      of: "quantizations",
      empty: "refused",
      read: (at, item) => reader.choice(at, item, quantizations),
    }),
  };
}

/** `"price"`, or `{ "by": "price", "partition": "model" }`. Twins always come before other models, which is that partition. */
function readSort(reader: FieldReader, value: unknown): OverrideSort | null {
  if (!isObject(value)) return reader.choice("provider.sort", value, overrideSorts);
  const given = reader.object("provider.sort", value, ["by", "partition"]);
  if (given === null) return null;
  reader.choice("provider.sort.partition", given.partition, ["model"]);
  return reader.choice("provider.sort.by", given.by, overrideSorts);
}

function readMaxPrice(reader: FieldReader, value: unknown): MaxPrice | null {
  const given = reader.object("provider.max_price", value, ["prompt", "completion", "request"]);
  if (given === null) return null;
  const input = reader.amount("provider.max_price.prompt", given.prompt);
  const output = reader.amount("provider.max_price.completion", given.completion);
  const request = reader.amount("provider.max_price.request", given.request);
  return input === null && output === null && request === null ? null : { input, output, request };
}

/** A model's name, or an object with it. Other members would change the request for that model alone, which nothing here does. */
function readFallback(reader: FieldReader, at: string, item: unknown): string | null {
  if (!isObject(item)) return reader.name(at, item);
  const given = reader.object(at, item, ["model"]);
  return given === null ? null : reader.name(`${at}.model`, given.model);
}
