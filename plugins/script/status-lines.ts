import { StringDecoder } from "node:string_decoder";
import { parseStatusLine, type Status } from "./status.ts";

const maxLineLength = 64 * 1024;

/** Lines as they come on a descriptor: each adds to what was said before; what is none is left out. */
export class StatusLines {
  readonly #say: (status: Status) => void;
  readonly #decoder = new StringDecoder("utf8");
  #status: Status = {};
  #line = "";

  constructor(say: (status: Status) => void) {
    this.#say = say;
  }

  take(chunk: Buffer): void {
    const lines = (this.#line + this.#decoder.write(chunk)).split("\n");
    this.#line = lines.pop()!.slice(0, maxLineLength);
    for (const line of lines) {
      const said = parseStatusLine(line);
      if (said === undefined || said === "invalid") continue;
      this.#status = { ...this.#status, ...said };
      this.#say(this.#status);
    }
  }
}
