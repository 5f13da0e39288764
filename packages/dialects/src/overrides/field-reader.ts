import type { ClientError } from "@tuloy/contract";
import { closestMatch } from "leven";

import { invalidField, kindOf } from "../json/invalid-field.ts";
import { isObject, type JsonObject } from "../json/value.ts";

/** A list longer than this is a slip: no gateway has so many providers that a request would have to list them. */
const longestList = 64;
/** What is quoted of a client's value. */
const quotedLength = 60;

function quoted(value: unknown): string {
  const shown = JSON.stringify(value) ?? "nothing";
  return shown.length > quotedLength ? `${shown.slice(0, quotedLength)}…` : shown;
}

/**
 * Reads optional fields one by one and keeps the first fault, so that a reader of many fields reads as a list of them. A field
 * that is null is absent, as SDKs write it.
 */
export class FieldReader {
  fault: ClientError | null = null;

  refuse(param: string, problem: string): null {
    this.fault ??= invalidField(param, `The field "${param}" ${problem}.`);
    return null;
  }

  flag(param: string, value: unknown): boolean | null {
    if (value === undefined || value === null) return null;
    return typeof value === "boolean" ? value : this.refuse(param, `must be true or false, but it is ${kindOf(value)}`);
  }

  choice<T extends string>(param: string, value: unknown, choices: readonly T[]): T | null {
    if (value === undefined || value === null) return null;
    const found = choices.find((choice) => choice === value);
    return found ?? this.refuse(param, `must be one of ${choices.join(", ")}, but it is ${quoted(value)}`);
  }

  /** USD. Decimal numbers in quotes are understood too. */
  amount(param: string, value: unknown): number | null {
    if (value === undefined || value === null) return null;
    const amount = typeof value === "string" && /^\d+(\.\d+)?$/.test(value) ? Number(value) : value;
    if (typeof amount === "number" && Number.isFinite(amount) && amount >= 0) return amount;
    return this.refuse(param, `must be an amount of USD, 0 or more, but it is ${quoted(value)}`);
  }

  /** A list of `read` items; null when absent or, where that means the same, empty. */
  list<T>(
    param: string,
    value: unknown,
    { of, empty, read }: { of: string; empty: "absent" | "refused"; read: (param: string, item: unknown) => T | null },
  ): readonly T[] | null {
    if (value === undefined || value === null) return null;
    if (!Array.isArray(value)) return this.refuse(param, `must be an array of ${of}, but it is ${kindOf(value)}`);
    if (value.length > longestList) return this.refuse(param, `lists more than ${longestList} ${of}`);
    if (value.length === 0) {
      return empty === "absent"
        ? null
        : this.refuse(param, `is empty, which allows nothing: list ${of}, or leave it out`);
    }
    const items: T[] = [];
    for (const [index, item] of value.entries()) {
      const one = read(`${param}[${index}]`, item);
      if (one === null) return null;
      if (!items.includes(one)) items.push(one);
    }
    return items;
  }

  name(param: string, value: unknown): string | null {
    if (typeof value === "string" && value.trim() !== "") return value;
    return this.refuse(param, value === "" ? "is empty: write a name" : `must be a name, but it is ${quoted(value)}`);
  }

  /** An object that has no other members than `known`, save those that are null. */
  object<Key extends string>(
    param: string,
    value: unknown,
    known: readonly Key[],
  ): Partial<Record<Key, unknown>> | null {
    if (value === undefined || value === null) return null;
    if (!isObject(value)) return this.refuse(param, `must be an object, but it is ${kindOf(value)}`);
    return this.#hasOnly(param, value, known) ? value : null;
  }

  #hasOnly<Key extends string>(
    param: string,
    value: JsonObject,
    known: readonly Key[],
  ): value is JsonObject & Partial<Record<Key, unknown>> {
    for (const [key, member] of Object.entries(value)) {
      if (member === null || known.some((name) => name === key)) continue;
      const near = key.length > quotedLength ? undefined : closestMatch(key, [...known], { maxDistance: 3 });
      const meant = near === undefined ? `known are ${known.join(", ")}` : `the nearest is ${near}`;
      this.refuse(param, `has ${quoted(key)}, which is not known here: ${meant}`);
      return false;
    }
    return true;
  }
}
