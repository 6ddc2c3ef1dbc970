// What is in one file of a zip: as many bytes as the archive says, with the checksum that it says, and nothing behind them.

import { constants, crc32, createInflateRaw, inflateRawSync } from "node:zlib";
import type { ArchiveFile } from "./archive-file.ts";
import type { Budget } from "./budget.ts";
import { broken, shown } from "./failures.ts";
import { release } from "./release.ts";
import { outputOptions, unpack } from "./unpack.ts";
import { type ZipBytes, zipFailure } from "./zip-file.ts";
import { anyNameOf, type ZipRecord } from "./zip-record.ts";

/** Up to here it is unpacked at once, which costs less than to begin a stream. */
const smallBytes = 64 * 1024;

export interface ZipContent {
  file: ArchiveFile;
  bytes: ZipBytes;
  entry: ZipRecord;
  /** Where it begins in the archive. */
  start: number;
  budget: Budget;
}

/** In chunks, each of which holds until the next one is asked for. Throws ARCHIVE_BROKEN, ARCHIVE_RATIO_TOO_HIGH. */
export async function* contentOf(content: ZipContent): AsyncGenerator<Buffer> {
  const { entry, budget } = content;
  const { compressedSize, uncompressedSize } = entry;
  const name = () => shown(anyNameOf(entry));
  const isSmall = compressedSize <= smallBytes && uncompressedSize <= smallBytes;
  let checksum = 0;
  let bytes = 0;
  try {
    for await (const chunk of isSmall ? atOnce(content) : inChunks(content)) {
      bytes += chunk.length;
      if (bytes > uncompressedSize) throw broken(`${name()} has more bytes than it says`);
      budget.unpacked(chunk.length);
      checksum = crc32(chunk, checksum);
      yield chunk;
    }
  } catch (error) {
    throw zipFailure(error);
  }
  if (bytes < uncompressedSize) throw broken(`${name()} has fewer bytes than it says`);
  if (checksum !== entry.crc32) throw broken(`the checksum of ${name()} is wrong`);
}

async function* atOnce({ bytes, entry, start }: ZipContent): AsyncGenerator<Buffer> {
  const { compressedSize, uncompressedSize } = entry;
  const packed = await bytes.read(start, compressedSize);
  if (packed.length < compressedSize) throw broken("it ends too early");
  if (!isCompressed(entry)) return yield packed;
  const { buffer, engine } = inflateRawSync(packed, {
    info: true,
    // One more than it may be shows that it is too much.
    maxOutputLength: uncompressedSize + 1,
    chunkSize: Math.max(constants.Z_MIN_CHUNK, uncompressedSize + 1),
  }) as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
  checkConsumed(engine.bytesWritten, entry);
  yield buffer;
}

async function* inChunks({ file, entry, start }: ZipContent): AsyncGenerator<Buffer> {
  const packed = file.chunks(start, start + entry.compressedSize);
  if (!isCompressed(entry)) {
    for await (const chunk of packed) {
      yield chunk;
      release(chunk);
    }
    return;
  }
  const inflate = createInflateRaw(outputOptions);
  yield* unpack(packed, inflate);
  checkConsumed(inflate.bytesWritten, entry);
}

// What stands behind the end of the packed bytes, and still belongs to them, would be nobody's.
function checkConsumed(consumedBytes: number, entry: ZipRecord): void {
  if (consumedBytes === entry.compressedSize) return;
  throw broken(`something stands behind the content of ${shown(anyNameOf(entry))}`);
}

const isCompressed = ({ compressionMethod }: ZipRecord) => compressionMethod === 8;
