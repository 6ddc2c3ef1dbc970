// What a program writes: its lines to the log, within bounds, and its end for the step's output.

import { StringDecoder } from "node:string_decoder";
import type { Log } from "gantry";
import type { OutputFile } from "./output-file.ts";

const tailBytes = 16 * 1024;
const maxLineLength = 1000;
const maxLinesPerSecond = 100;

export class Output {
  readonly #log: Log;
  readonly #file: OutputFile;
  readonly #decoder = new StringDecoder("utf8");
  #tail: Buffer = Buffer.alloc(0);
  #line = "";
  #second = 0;
  #linesThisSecond = 0;
  #leftOut = 0;

  constructor(log: Log, file: OutputFile) {
    this.#log = log;
    this.#file = file;
  }

  take(chunk: Buffer): void {
    this.#file.take(chunk);
    this.#tail = Buffer.concat([this.#tail, chunk.subarray(-tailBytes)]).subarray(-tailBytes);
    const lines = (this.#line + this.#decoder.write(chunk)).split("\n");
    this.#line = lines.pop()!.slice(0, maxLineLength);
    for (const line of lines) this.#logLine(line);
  }

  /** The last part of all that was written, from the beginning of a character on. */
  end(): string {
    this.#line += this.#decoder.end();
    if (this.#line !== "") this.#logLine(this.#line);
    if (this.#leftOut > 0) this.#log.warn(`${this.#leftOut} further lines of output are not in the log`);
    this.#file.end(this.#tail);
    const tail = textOf(this.#tail).replace(/\r?\n$/, "");
    // What is no UTF-8 takes more bytes as text.
    return Buffer.byteLength(tail) <= tailBytes ? tail : textOf(Buffer.from(tail).subarray(-tailBytes));
  }

  #logLine(line: string): void {
    const second = Math.floor(Date.now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#linesThisSecond = 0;
    }
    this.#linesThisSecond += 1;
    if (this.#linesThisSecond > maxLinesPerSecond) this.#leftOut += 1;
    else this.#log.info(line.slice(0, maxLineLength).toWellFormed().replace(/\r$/, ""));
  }
}

/** Without the rest of a character whose beginning was cut off. */
function textOf(bytes: Buffer): string {
  let start = 0;
  while (bytes.length === tailBytes && start < 3 && (bytes[start]! & 0xc0) === 0x80) start++;
  return bytes.toString("utf8", start);
}
