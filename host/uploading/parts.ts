// What an upload sends, cut into parts: the file's bytes as they are, read from the disk whenever they are needed, or
// compressed on the way, where a part is kept in memory until it has been sent.

import { createHash } from "node:crypto";
import { pipeline } from "node:stream";
import type { UploadFile } from "./upload-file.ts";

export type Digest = "md5" | "sha256" | "crc32";

export interface UploadPart {
  /** From 1. */
  readonly number: number;
  readonly lengthBytes: number;
  /** How much of the file it stands for. */
  readonly fileBytes: number;
  /** Its bytes, as often as they are asked for. A chunk holds its bytes until the third one after it is asked for. */
  chunks(): AsyncIterable<Buffer>;
  digest(algorithm: Digest): Promise<Buffer>;
}

/** Up to here a part is read once and kept. */
const keptBytes = 1 << 18;

export async function* plainParts(file: UploadFile, partBytes: number): AsyncGenerator<UploadPart> {
  const count = Math.max(1, Math.ceil(file.sizeBytes / partBytes));
  for (let index = 0; index < count; index++) {
    const start = index * partBytes;
    yield plainPart(file, index + 1, start, Math.min(partBytes, file.sizeBytes - start));
  }
}

/** The whole file is one part of `lengthBytes` from 0. */
export function plainPart(file: UploadFile, number: number, start: number, lengthBytes: number): UploadPart {
  if (lengthBytes > keptBytes)
    return part(number, lengthBytes, lengthBytes, () => file.chunks(start, lengthBytes, true));
  let kept: Buffer | undefined;
  return part(number, lengthBytes, lengthBytes, async function* () {
    kept ??= await collected(file.chunks(start, lengthBytes, false));
    if (kept.length > 0) yield kept;
  });
}

/** All that is sent of a file. */
export function contentOf(file: UploadFile, isPlain: boolean): AsyncIterable<Buffer> {
  return isPlain ? file.chunks(0, file.sizeBytes, true) : new Gzipped(file).chunks();
}

async function collected(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return all.length === 1 ? all[0]! : Buffer.concat(all);
}

export async function* gzipParts(file: UploadFile, partBytes: number): AsyncGenerator<UploadPart> {
  let number = 0;
  let taken = 0;
  let held: Buffer[] = [];
  let heldBytes = 0;
  const source = new Gzipped(file);
  const next = (isLast: boolean) => {
    const chunks = held;
    const fileBytes = (isLast ? file.sizeBytes : source.readBytes) - taken;
    taken += fileBytes;
    number += 1;
    const made = part(number, heldBytes, fileBytes, async function* () {
      yield* chunks;
    });
    held = [];
    heldBytes = 0;
    return made;
  };
  for await (let chunk of source.chunks()) {
    while (heldBytes + chunk.length > partBytes) {
      const rest = partBytes - heldBytes;
      if (rest > 0) held.push(chunk.subarray(0, rest));
      heldBytes = partBytes;
      chunk = chunk.subarray(rest);
      yield next(false);
    }
    held.push(chunk);
    heldBytes += chunk.length;
  }
  yield next(true);
}

/** One part, compressed anew each time it is read: first to learn its length. */
export async function gzipWhole(file: UploadFile): Promise<UploadPart> {
  let lengthBytes = 0;
  const read = () => new Gzipped(file).chunks();
  for await (const chunk of read()) lengthBytes += chunk.length;
  return part(1, lengthBytes, file.sizeBytes, read);
}

function part(number: number, lengthBytes: number, fileBytes: number, chunks: () => AsyncIterable<Buffer>): UploadPart {
  return { number, lengthBytes, fileBytes, chunks, digest: (algorithm) => digestOf(chunks(), algorithm) };
}

export async function digestOf(chunks: AsyncIterable<Buffer>, algorithm: Digest): Promise<Buffer> {
  if (algorithm === "crc32") {
    const { crc32 } = await import("node:zlib");
    let value = 0;
    for await (const chunk of chunks) value = crc32(chunk, value);
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
  }
  const hash = createHash(algorithm);
  for await (const chunk of chunks) hash.update(chunk);
  return hash.digest();
}

/** The same file gives the same bytes each time. */
class Gzipped {
  readonly #file: UploadFile;
  /** How much of the file has been taken in. */
  readBytes = 0;

  constructor(file: UploadFile) {
    this.#file = file;
  }

  async *chunks(): AsyncGenerator<Buffer> {
    const { createGzip } = await import("node:zlib");
    const gzip = createGzip({ chunkSize: 1 << 16 });
    // Its failure is that of reading from `gzip`.
    pipeline(this.#counted(), gzip, () => {});
    yield* gzip as AsyncIterable<Buffer>;
  }

  async *#counted(): AsyncGenerator<Buffer> {
    for await (const chunk of this.#file.chunks(0, this.#file.sizeBytes, true)) {
      yield chunk;
      this.readBytes += chunk.length;
    }
  }
}
