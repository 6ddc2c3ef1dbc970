// A bounded copy of what a program writes: its beginning, and its end where there is more.

import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import type { Log } from "gantry";

export class OutputFile {
  readonly path: string;
  readonly #maxBytes: number;
  readonly #log: Log;
  #descriptor: number | undefined;
  #leftBytes: number;
  #leftOut = 0;

  /** What stands at this path is replaced. A file that cannot be written is said once and done without. */
  constructor(path: string, maxBytes: number, log: Log) {
    this.path = path;
    this.#maxBytes = maxBytes;
    this.#leftBytes = maxBytes;
    this.#log = log;
    this.#try(() => {
      rmSync(path, { force: true });
      this.#descriptor = openSync(path, "wx", 0o600);
    });
  }

  take(chunk: Buffer): void {
    const kept = chunk.subarray(0, this.#leftBytes);
    this.#leftBytes -= kept.length;
    this.#leftOut += chunk.length - kept.length;
    if (kept.length > 0) this.#write(kept);
  }

  /** `tail` is the end of all that was written. */
  end(tail: Buffer): void {
    if (this.#leftOut > 0) {
      const missing = this.#leftOut - Math.min(this.#leftOut, tail.length);
      this.#write(Buffer.from(`\n[${missing} bytes are left out: the file holds ${this.#maxBytes} and the end]\n`));
      this.#write(tail.subarray(-this.#leftOut));
    }
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #write(bytes: Buffer): void {
    if (this.#descriptor !== undefined) this.#try(() => void writeSync(this.#descriptor!, bytes));
  }

  #try(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#log.warn(`the output cannot be kept in ${this.path}`, { err: error });
      if (this.#descriptor !== undefined) closeSync(this.#descriptor);
      this.#descriptor = undefined;
    }
  }
}
