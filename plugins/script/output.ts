// What a program writes: its lines to the log, within bounds, and its end for the step's output.

import { StringDecoder } from "node:string_decoder";
import type { Log } from "gantry";

const tailBytes = 16 * 1024;
const maxLineLength = 1000;
const maxLinesPerSecond = 100;

export class Output {
  readonly #log: Log;
  readonly #decoder = new StringDecoder("utf8");
  #tail = "";
  #line = "";
  #second = 0;
  #linesThisSecond = 0;
  #leftOut = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  take(chunk: Buffer): void {
    const text = this.#decoder.write(chunk);
    this.#tail = (this.#tail + text).slice(-tailBytes);
    const lines = (this.#line + text).split("\n");
    this.#line = lines.pop()!.slice(0, maxLineLength);
    for (const line of lines) this.#logLine(line);
  }

  /** The last part of all that was written, from the beginning of a character on. */
  end(): string {
    if (this.#line !== "") this.#logLine(this.#line);
    if (this.#leftOut > 0) this.#log.warn(`${this.#leftOut} further lines of output are not in the log`);
    let tail = (this.#tail + this.#decoder.end()).replace(/\r?\n$/, "").replace(/^[\udc00-\udfff]/, "");
    while (Buffer.byteLength(tail) > tailBytes) tail = tail.slice(Math.ceil((Buffer.byteLength(tail) - tailBytes) / 4));
    return tail;
  }

  #logLine(line: string): void {
    const second = Math.floor(Date.now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#linesThisSecond = 0;
    }
    this.#linesThisSecond += 1;
    if (this.#linesThisSecond > maxLinesPerSecond) this.#leftOut += 1;
    else this.#log.info(line.slice(0, maxLineLength).replace(/\r$/, ""));
  }
}
