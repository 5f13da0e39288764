import type { ConfigIssue } from "@tuloy/contract";

export type IssuePath = ConfigIssue["path"];

export function issue(path: IssuePath, message: string, more: Partial<ConfigIssue> = {}): ConfigIssue {
  return { path, at: "value", message, valid: [], expected: null, ...more };
}

/** What `tell` says of each item that was there before. */
export function repeated(items: readonly string[], tell: (index: number, first: number) => ConfigIssue): ConfigIssue[] {
  const seen = new Map<string, number>();
  const found: ConfigIssue[] = [];
  for (const [index, item] of items.entries()) {
    const first = seen.get(item);
    if (first === undefined) seen.set(item, index);
    else found.push(tell(index, first));
  }
  return found;
}
