// Takes so many bytes at a time from chunks that come as they like.

import { broken } from "./failures.ts";

export class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Exactly so many bytes, which hold until more is asked for, or undefined at the very end. Throws ARCHIVE_BROKEN where it ends in between. */
  async exactly(length: number): Promise<Buffer | undefined> {
    const parts: Buffer[] = [];
    let have = 0;
    while (have < length) {
      const part = await this.#some(length - have);
      if (part === undefined) {
        if (have === 0) return undefined;
        throw cutShort();
      }
      have += part.length;
      // The chunk that it is part of may be gone when the next one is there.
      parts.push(have === length ? part : Buffer.from(part));
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }

  /** So many bytes, in chunks of any size, each of which holds until the next one is asked for. Throws ARCHIVE_BROKEN where there are fewer. */
  async *take(length: number): AsyncGenerator<Buffer> {
    for (let left = length; left > 0; ) {
      const part = await this.#some(left);
      if (part === undefined) throw cutShort();
      left -= part.length;
      yield part;
    }
  }

  /** All that is left, in chunks. */
  async *rest(): AsyncGenerator<Buffer> {
    for (let part = await this.#some(Infinity); part !== undefined; part = await this.#some(Infinity)) yield part;
  }

  async #some(atMost: number): Promise<Buffer | undefined> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#chunks.next();
      if (done === true) return undefined;
      this.#rest = value;
    }
    const part = this.#rest.subarray(0, atMost);
    this.#rest = this.#rest.subarray(part.length);
    return part;
  }
}

const cutShort = () => broken("it ends too early");
