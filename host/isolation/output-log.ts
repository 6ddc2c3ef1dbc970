import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { mask } from "../secrets.ts";
import type { TokenBucket } from "./token-bucket.ts";

export interface OutputLogOptions {
  /** Takes one line, masked and cut. */
  onLine: (line: string) => void;
  /** In bytes, shared with the other stream of the process. */
  budget: TokenBucket;
  onFlood: () => void;
}

const maxHeldLength = 65_536;
const maxLineLength = 8192;
const maxTailLength = 2000;

/** Carries what a plugin prints into the host's log, line by line. */
export class OutputLog {
  readonly #options: OutputLogOptions;
  readonly #stream: Readable;
  readonly #decoder = new StringDecoder("utf8");
  #held = "";
  /** Inside a line whose beginning has been written already. */
  #skipsLine = false;
  #tail = "";

  constructor(stream: Readable, options: OutputLogOptions) {
    this.#options = options;
    this.#stream = stream;
    stream.on("data", (chunk: Buffer) => this.#take(chunk));
    stream.on("error", () => {});
    stream.on("end", () => this.#write(this.#held));
  }

  /** The end of what was printed, masked. */
  get tail(): string {
    return this.#tail;
  }

  /** Hears nothing more, though others may hold the stream open. */
  close(): void {
    this.#stream.destroy();
  }

  #take(chunk: Buffer): void {
    if (!this.#options.budget.take(chunk.length)) {
      this.close();
      this.#options.onFlood();
      return;
    }
    this.#held += this.#decoder.write(chunk);
    const end = this.#held.lastIndexOf("\n");
    if (end !== -1) {
      this.#write(this.#held.slice(0, end));
      this.#held = this.#held.slice(end + 1);
    }
    if (this.#held.length <= maxHeldLength) return;
    this.#write(this.#held);
    this.#held = "";
    this.#skipsLine = true;
  }

  // Masked before it is cut into lines: a secret may have several, and must not be cut in two.
  #write(text: string): void {
    let lines = mask(text).split("\n");
    if (this.#skipsLine) {
      lines = lines.slice(1);
      this.#skipsLine = false;
    }
    for (const line of lines) {
      if (line === "") continue;
      const cut = line.length > maxLineLength ? `${line.slice(0, maxLineLength)}...` : line;
      this.#tail = `${this.#tail}${cut}\n`.slice(-maxTailLength);
      this.#options.onLine(cut);
    }
  }
}
