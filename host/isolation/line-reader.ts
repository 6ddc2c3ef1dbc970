/**
 * Cuts a stream of bytes into lines (without their line end) and never holds more than `maxBytes` of one. `push` gives
 * false once a line is longer; what was complete before it has been handed over.
 */
export class LineReader {
  readonly #maxBytes: number;
  readonly #onLine: (line: Buffer) => void;
  #begun: Buffer[] = [];
  #begunBytes = 0;

  constructor(maxBytes: number, onLine: (line: Buffer) => void) {
    this.#maxBytes = maxBytes;
    this.#onLine = onLine;
  }

  push(chunk: Buffer): boolean {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      if (!this.#add(chunk.subarray(start, end))) return false;
      const line = this.#begun.length === 1 ? this.#begun[0]! : Buffer.concat(this.#begun, this.#begunBytes);
      this.#begun = [];
      this.#begunBytes = 0;
      start = end + 1;
      this.#onLine(line);
    }
    return start === chunk.length || this.#add(chunk.subarray(start));
  }

  #add(part: Buffer): boolean {
    this.#begunBytes += part.length;
    if (this.#begunBytes > this.#maxBytes) return false;
    this.#begun.push(part);
    return true;
  }
}
