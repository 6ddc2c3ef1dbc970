// Which kind of archive a file is, by its beginning, and the entries in it.

import { constants, createGunzip, createZstdDecompress } from "node:zlib";
import { PluginError } from "gantry";
import type { ArchiveFile } from "./archive-file.ts";
import type { Budget } from "./budget.ts";
import { ByteReader } from "./byte-reader.ts";
import type { Entry } from "./entry.ts";
import { broken, unsupported } from "./failures.ts";
import { release } from "./release.ts";
import { blockBytes, isTar } from "./tar-header.ts";
import { readTar } from "./tar-reader.ts";
import { outputOptions, unpack } from "./unpack.ts";
import { readZip } from "./zip-reader.ts";

type Format = "tar" | "tar.gz" | "tar.zst" | "zip";

const gzip = Buffer.from([0x1f, 0x8b]);
const zstd = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
const zip = [Buffer.from("PK\x03\x04"), Buffer.from("PK\x05\x06")];

/** What `zstd` itself unpacks without being asked to use more memory: 128 MiB. */
const zstdWindowLog = 27;

/** The entries of the archive; `onRead` hears how many bytes of it are done. Throws ARCHIVE_FORMAT_UNKNOWN. */
export async function* readEntries(
  file: ArchiveFile,
  budget: Budget,
  onRead: (bytes: number) => void,
): AsyncGenerator<Entry> {
  const format = await formatOf(file);
  if (format === "zip") return yield* readZip(file, budget, onRead);
  const bytes = decompressed(file, format, budget, onRead);
  try {
    yield* readTar(new ByteReader(bytes), budget);
  } finally {
    // Also where the reading has ended early, nothing goes on being unpacked.
    await bytes.return(undefined);
  }
}

async function formatOf(file: ArchiveFile): Promise<Format> {
  const start = await file.read(0, blockBytes);
  const begins = (magic: Buffer) => start.subarray(0, magic.length).equals(magic);
  if (begins(gzip)) return "tar.gz";
  if (begins(zstd)) return "tar.zst";
  if (zip.some(begins)) return "zip";
  const { Header } = await import("tar");
  if (isTar(start, Header)) return "tar";
  throw new PluginError("ARCHIVE_FORMAT_UNKNOWN", "the file begins like no tar, tar.gz, tar.zst or zip archive");
}

async function* decompressed(
  file: ArchiveFile,
  format: Exclude<Format, "zip">,
  budget: Budget,
  onRead: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  const packed = file.chunks(0, file.sizeBytes, onRead);
  if (format === "tar") {
    for await (const chunk of packed) {
      yield chunk;
      release(chunk);
    }
    return;
  }
  const decompressor =
    format === "tar.gz"
      ? createGunzip({ rejectGarbageAfterEnd: true, ...outputOptions })
      : createZstdDecompress({
          rejectGarbageAfterEnd: true,
          ...outputOptions,
          params: { [constants.ZSTD_d_windowLogMax]: zstdWindowLog },
        });
  try {
    for await (const chunk of unpack(packed, decompressor)) {
      budget.unpacked(chunk.length);
      yield chunk;
    }
  } catch (error) {
    throw decompressionFailure(error as NodeJS.ErrnoException);
  }
}

function decompressionFailure(error: NodeJS.ErrnoException): unknown {
  const code = error.code ?? "";
  if (code === "ZSTD_error_frameParameter_windowTooLarge") return unsupported("it needs more than 128 MiB of memory");
  if (/^(Z_|ZSTD_|ERR_TRAILING_JUNK)/.test(code)) return broken(error.message, error);
  return error;
}
