// Bytes through a decompressor: what comes out is handed on while the next is being unpacked.

import type { Transform } from "node:stream";
import { release } from "./release.ts";

/** What comes out at a time, since each further call costs more than the memory, and so many of these wait for the reader. */
const outputBytes = 256 * 1024;
const waiting = 4;

/** For the decompressors of node:zlib. */
export const outputOptions = { chunkSize: outputBytes, readableHighWaterMark: waiting * outputBytes };

/** In chunks, each of which holds until the next one is asked for. Rejects as `packed` or the decompressor does. */
export async function* unpack(packed: AsyncIterable<Buffer>, decompressor: Transform): AsyncGenerator<Buffer> {
  void feed(packed, decompressor);
  try {
    for await (const chunk of decompressor as AsyncIterable<Buffer>) {
      yield chunk;
      // The decompressor fills a buffer piece by piece; with the last one all of it has been read.
      const { buffer } = chunk;
      if (buffer.byteLength === outputBytes && chunk.byteOffset + chunk.length === outputBytes)
        release(Buffer.from(buffer));
    }
  } finally {
    // Also where the reading has ended early, nothing goes on being unpacked.
    decompressor.destroy();
  }
}

async function feed(packed: AsyncIterable<Buffer>, decompressor: Transform): Promise<void> {
  try {
    for await (const chunk of packed) {
      await new Promise<void>((resolve, reject) => {
        decompressor.write(chunk, (error) => (error == null ? resolve() : reject(error)));
      });
      release(chunk);
    }
    decompressor.end();
  } catch (error) {
    // It shows where the output is read.
    decompressor.destroy(error as Error);
  }
}
