// Libraries take a stream for a body. This one is read by whoever iterates over it, and only then: a stream of its own
// accord would read ahead, and the chunks of an upload do not keep their bytes for so long.

import { Readable } from "node:stream";

class UploadBody extends Readable {
  readonly #chunks: AsyncIterable<Buffer>;

  constructor(chunks: AsyncIterable<Buffer>) {
    super();
    this.#chunks = chunks;
  }

  // biome-ignore lint/suspicious/noExplicitAny: the type of a stream's own iterator
  override [Symbol.asyncIterator](): any {
    return this.#chunks[Symbol.asyncIterator]();
  }
}

/** For a library that hands it on to a client which calls `uploadChunks`. */
export function uploadBody(chunks: AsyncIterable<Buffer>): Readable {
  return new UploadBody(chunks);
}

/** The bytes of a body that a library hands on: one of `uploadBody`, a text or bytes, or none. */
export async function* uploadChunks(body: unknown): AsyncGenerator<Buffer> {
  if (body === undefined || body === null) return;
  if (body instanceof UploadBody) yield* body as AsyncIterable<Buffer>;
  else if (typeof body === "string" || body instanceof Uint8Array) yield Buffer.from(body as string);
  else throw new TypeError("a body that is neither text nor bytes");
}
