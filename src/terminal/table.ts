import { highest } from "../domain/extremes.ts";

interface Column {
  readonly align?: "left" | "right";
  /** Characters at least. Default: as its widest cell. */
  readonly width?: number;
}

const GAP = "  ";

/** Rows as lines, with two blanks between columns. A row may end before the last column. */
export function tableLines(
  rows: readonly (readonly string[])[],
  columns: readonly Column[] = [],
): readonly string[] {
  const count = highest(rows.map((row) => row.length));
  const widths = Array.from(
    { length: count },
    (_, index) => columns[index]?.width ?? highest(rows.map((row) => row[index]?.length ?? 0)),
  );
  const pad = (cell: string, index: number): string =>
    columns[index]?.align === "right" ? cell.padStart(widths[index]!) : cell.padEnd(widths[index]!);
  return rows.map((row) => row.map(pad).join(GAP).trimEnd());
}

/** The same as one text, each line after two blanks, without an end of the last line. */
export const table = (rows: readonly (readonly string[])[]): string =>
  tableLines(rows)
    .map((line) => `${GAP}${line}`)
    .join("\n");
