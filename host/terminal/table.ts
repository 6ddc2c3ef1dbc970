import { plain } from "./plain.ts";

export interface TableOptions {
  /** The terminal's width: the last column is shortened to it. */
  columns?: number | undefined;
  /** Gives a cell its colour; it has its width already. */
  paint?: ((text: string, row: number, column: number) => string) | undefined;
}

/** What is left of a last column at least, however narrow the terminal is. */
const leastLast = 20;

/** Columns aligned with two spaces between. Row 0 of `paint` is the first below the head. */
export function table(
  head: string[],
  rows: string[][],
  { columns, paint = (text) => text }: TableOptions = {},
): string {
  const lines = [head, ...rows].map((row) => row.map(plain));
  const widths = head.map((_, column) => lines.reduce((most, row) => Math.max(most, row[column]!.length), 0));
  const last = head.length - 1;
  const before = widths.slice(0, last).reduce((sum, width) => sum + width + 2, 0);
  const room = columns === undefined ? Number.POSITIVE_INFINITY : Math.max(leastLast, columns - before);
  const lineOf = (row: string[], index: number) => {
    const cells = row.map((cell, column) => (column === last ? shorten(cell, room) : cell.padEnd(widths[column]!)));
    // What is empty at the end takes no room.
    while (cells.length > 1 && cells.at(-1)!.trim() === "") cells.pop();
    cells.push(cells.pop()!.trimEnd());
    return `${(index === 0 ? cells : cells.map((cell, column) => paint(cell, index - 1, column))).join("  ")}\n`;
  };
  return lines.map(lineOf).join("");
}

const shorten = (text: string, room: number) => (text.length <= room ? text : `${text.slice(0, room - 1)}…`);
