import type { RefusedRow } from "@tuloy/store";

import type { Log } from "./log.ts";
import type { Observer } from "./observer.ts";

/** So many of a batch are named: where all are refused, one says as much as a hundred. */
const mostNamed = 10;

/**
 * Tells of rows that the database refused and that are lost. Of traces also by an alert, which goes where they could not go; an
 * alert that was refused would only be followed by another.
 */
export function tellRefused(rows: readonly RefusedRow[], observer: Pick<Observer, "alert">, log: Log): void {
  const alerts = rows.filter(({ row }) => row === "alert");
  for (const { name, reason } of alerts.slice(0, mostNamed)) {
    log.error({ event: "record_refused", subject: name }, `The database refuses the alert ${name}: ${reason}.`);
  }
  const [first, ...others] = rows.filter(({ row }) => row === "trace");
  if (first === undefined) return;
  const named = others.slice(0, mostNamed - 1).map(({ name, reason }) => `${name} (${reason})`);
  const more = others.length - named.length;
  const rest = [...named, ...(more > 0 ? [`${more} more`] : [])].join(", ");
  observer.alert(
    "record_refused",
    first.name,
    `The database refuses the trace ${first.name} (${first.reason}): it is lost, what else came with it is written.${rest === "" ? "" : ` So it is with ${rest}.`}`,
  );
}
