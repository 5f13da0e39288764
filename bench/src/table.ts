export interface Column {
  readonly title: string;
  readonly align: "left" | "right";
}

/**
 * A Markdown table, padded so that it also reads well as plain text. Pipes and line ends inside a cell are made harmless;
 * missing cells are empty.
 */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => columns.map((_, i) => cleanCell(row[i] ?? "")));
  const widths = columns.map(({ title }, i) => Math.max(3, title.length, ...cells.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `| ${columns.map(({ align }, i) => (align === "left" ? (row[i] ?? "").padEnd(widths[i] ?? 0) : (row[i] ?? "").padStart(widths[i] ?? 0))).join(" | ")} |`;
  const rule = columns.map(({ align }, i) =>
    align === "left" ? "-".repeat(widths[i] ?? 0) : `${"-".repeat((widths[i] ?? 1) - 1)}:`,
  );
  return [line(columns.map(({ title }) => title)), `| ${rule.join(" | ")} |`, ...cells.map((row) => line(row))].join(
    "\n",
  );
}

function cleanCell(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, " ").replaceAll("|", "\\|");
}

/** Columns from short specifications: a title that starts with `>` is aligned to the right, as numbers are. */
export function columns(...titles: readonly string[]): Column[] {
  return titles.map((title) =>
    title.startsWith(">") ? { title: title.slice(1), align: "right" } : { title, align: "left" },
  );
}

/** Three significant digits at most, without an exponent; `–` for a number that is not known. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= 100) return value.toFixed(0);
  return value.toFixed(size >= 10 ? 1 : 2);
}

/** As `figure`, as a ratio: `3.42×`. */
export function ratio(value: number): string {
  return Number.isFinite(value) ? `${figure(value)}×` : "–";
}
