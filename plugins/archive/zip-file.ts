import { Readable } from "node:stream";
import { PluginError } from "gantry";
import type { ZipFile } from "yauzl";
import type { ArchiveFile } from "./archive-file.ts";
import { broken, unsupported } from "./failures.ts";

/** The file as `yauzl` reads it; closing it is left to whoever has opened it. Throws ARCHIVE_BROKEN, ARCHIVE_UNSUPPORTED. */
export async function openZip(file: ArchiveFile): Promise<ZipFile> {
  const { default: yauzl } = await import("yauzl");
  class Reader extends yauzl.RandomAccessReader {
    override _readStreamForRange(start: number, end: number): Readable {
      return Readable.from(file.chunks(start, end), { highWaterMark: 1 });
    }
  }
  try {
    return await yauzl.fromRandomAccessReaderPromise(new Reader(), file.sizeBytes, {
      // Names are judged here, byte by byte, and with codes.
      decodeStrings: false,
      autoClose: false,
    });
  } catch (error) {
    throw zipFailure(error);
  }
}

/** The package has words and no codes. What comes from the file itself, or from the limits, has a code already. */
export function zipFailure(error: unknown): unknown {
  if (error instanceof PluginError) return error;
  const { message } = error as Error;
  if (/encryption/.test(message)) return new PluginError("ARCHIVE_ENCRYPTED", message, { cause: error });
  if (/multi-disk/.test(message)) return unsupported(message);
  return broken(message, error);
}
