// Offsets in a text -> lines and columns, both from 1; columns count UTF-16 units.

export class Places {
  readonly #text: string;
  readonly #starts: number[] = [0];

  constructor(text: string) {
    this.#text = text;
    for (let index = text.indexOf("\n"); index >= 0; index = text.indexOf("\n", index + 1))
      this.#starts.push(index + 1);
  }

  /** Where a range begins, and how much of it stands on that line. */
  at(offset: number, length: number): { line: number; column: number; length: number } {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    const start = this.#starts[low]!;
    const end = low + 1 < this.#starts.length ? this.#starts[low + 1]! - 1 : this.#text.length;
    const shown = end > start && this.#text[end - 1] === "\r" ? end - 1 : end;
    return { line: low + 1, column: offset - start + 1, length: Math.max(1, Math.min(length, shown - offset)) };
  }
}

let last: { text: string; lines: string[] } | undefined;

/** One line of a text, without its end. Of one text many lines are asked for, one after the other. */
export function lineOf(text: string, line: number): string {
  if (last?.text !== text) last = { text, lines: text.split("\n") };
  return (last.lines[line - 1] ?? "").replace(/\r$/, "");
}
